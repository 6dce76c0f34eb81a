import Synchronization

/// The places of one system, over all settings that its channel has had: after a change of them, calls of both are under
/// way for a while, and together they keep the limit.
///
/// `@unchecked Sendable`: touched by the engine's thread only.
final class ChannelPlaces: @unchecked Sendable {
    /// Calls that hold a place: on the wire, or waiting for their turn or for a place of the engine.
    var taken = 0
    var waiting = CallQueue()
    /// Calls in the engine's queue, whether they hold a place or not.
    var queued = 0
}

/// Numbers of connection scopes, from 1 on.
private let lastScope = Atomic<UInt32>(0)

/// One channel as the engine's thread sees it.
///
/// `@unchecked Sendable`: what is `let` never changes or is safe by itself; every `var` is touched by the engine's thread
/// only.
final class ChannelState: @unchecked Sendable {
    let settings: ChannelSettings
    let health: ChannelHealth
    /// Connections are kept by scope: none that was made for one channel, or under earlier settings, serves another.
    let scope: UInt32
    /// Calls that hold a place of the system and wait for their turn or for a place of the engine.
    var ready = CallQueue()
    /// The first of them has no turn before.
    var paused: ContinuousClock.Instant?
    /// Calls on the wire.
    var running = 0
    /// Handles whose fixed options are set.
    var idle: [Transfer] = []
    /// The channel is gone: handles are freed here, on the engine's thread, and not pooled any more.
    var forgotten = false

    init(_ settings: ChannelSettings, _ health: ChannelHealth? = nil) {
        self.settings = settings
        self.health = health ?? ChannelHealth(settings)
        // After four thousand million channels they begin anew; 0 would be no scope.
        scope = max(1, lastScope.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    var places: ChannelPlaces { health.places }
    var hasPlace: Bool { places.taken < settings.maxInFlight }
}
