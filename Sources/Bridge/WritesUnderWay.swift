/// The writes of one tenant that are under way. It is handed on when the tenant's file is read again, so that of two
/// equal creates around that moment one reaches the clinic's system.
public final class WritesUnderWay: Sendable {
    let flights = CreateFlights()
    let gates = Gates()

    public init() {}
}
