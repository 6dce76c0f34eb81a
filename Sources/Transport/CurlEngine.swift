import CCurl
import Glibc
import Synchronization

/// Sends requests by libcurl, all of them from one thread of its own.
///
/// Make one per process. `shutdown()` ends it; letting go of it and of its channels does too, without waiting.
public final class CurlEngine: Sendable {
    private let inbox: Inbox
    /// Until somebody has joined or detached it.
    private let thread: Mutex<pthread_t?>

    /// Starts the thread. Throws `.internal` if the system has no descriptor, memory or thread left.
    public init(_ options: EngineOptions = .init()) throws(TransportError) {
        if globalInit != CURLE_OK { throw .internalFailure("libcurl does not start") }
        inbox = try Inbox()
        let loop = try EngineLoop(options, inbox)
        let start = Unmanaged.passRetained(Start(loop: loop, inbox: inbox))
        var id = pthread_t()
        let result = pthread_create(&id, nil, threadMain, start.toOpaque())
        if result != 0 {
            start.release()
            throw .internalFailure("no thread to be had")
        }
        thread = Mutex(id)
    }

    deinit {
        inbox.close(cancelling: true)
        if let id = takeThread() { pthread_detach(id) }
    }

    /// A way out with its own settings, handles and limit. It keeps the engine alive.
    ///
    /// - Parameter observer: told of every change of the channel's circuit breaker, on no particular thread.
    public func channel(
        _ settings: ChannelSettings, observer: (@Sendable (BreakerTransition) -> Void)? = nil
    ) -> HTTPChannel {
        HTTPChannel(engine: self, inbox: inbox, settings, health: nil, observer: observer)
    }

    /// Refuses new calls, waits for those already accepted, ends the thread and closes the connections.
    ///
    /// - Parameter cancelling: end the accepted calls at once with `.shuttingDown`. May be asked for later, by a
    ///   second call.
    public func shutdown(cancelling: Bool = false) async {
        inbox.close(cancelling: cancelling)
        await inbox.waitUntilFinished()
        // The thread has nothing left to do but to return.
        if let id = takeThread() { pthread_join(id, nil) }
    }

    private func takeThread() -> pthread_t? {
        thread.withLock { id in
            defer { id = nil }
            return id
        }
    }
}

/// Once per process; thread-safe in libcurl and here.
private let globalInit: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

/// What the thread needs, handed over through a C pointer.
private final class Start {
    var loop: EngineLoop?
    let inbox: Inbox

    init(loop: EngineLoop, inbox: Inbox) {
        self.loop = loop
        self.inbox = inbox
    }
}

private func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
    // Signals go to other threads; a broken pipe in a TLS library is an error here, not the end of the process.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, nil)
    start.loop?.run()
    start.loop = nil
    start.inbox.finish()
    return nil
}
