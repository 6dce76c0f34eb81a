import CCurl
import Glibc

/// The engine's thread: epoll and `curl_multi_socket_action`. Nothing here is touched by another thread.
final class EngineLoop {
    private let options: EngineOptions
    private let inbox: Inbox
    private let epoll: Int32
    private let multi: OpaquePointer
    private let sockets: SocketTable
    private let clock = ContinuousClock()

    /// When libcurl wants to be called without an event.
    private var curlDue: ContinuousClock.Instant?
    private var running: [Transfer] = []
    /// Channels with calls that hold a place of theirs and wait for their turn or for a place of the engine.
    private var ready: [ChannelState] = []
    private var waitingByDeadline = DeadlineHeap()
    /// Libcurl keeps deadlines itself, but not all of them: a timer that it looks at within the same millisecond counts
    /// as not yet due, and does not come again (7.88.1). What is over and still runs is ended here.
    private var runningByDeadline = DeadlineHeap()
    private static let patience = Duration.milliseconds(2)
    private var messages: [Inbox.Message] = []
    private var stopping = false

    init(_ options: EngineOptions, _ inbox: Inbox) throws(TransportError) {
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        if epoll < 0 { throw .internalFailure("no epoll to be had") }
        guard let multi = curl_multi_init() else {
            close(epoll)
            throw .internalFailure("libcurl gives no multi handle")
        }
        self.options = options
        self.inbox = inbox
        self.epoll = epoll
        self.multi = OpaquePointer(multi)
        sockets = SocketTable(epoll: epoll)

        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.fd = inbox.wake
        let me = Unmanaged.passUnretained(self).toOpaque()
        guard epoll_ctl(epoll, EPOLL_CTL_ADD, inbox.wake, &event) == 0,
            ponte_multi_set_socket_callback(multi, interestChanged, me) == CURLM_OK,
            ponte_multi_set_timer_callback(multi, timerChanged, me) == CURLM_OK,
            ponte_multi_set_long(multi, CURLMOPT_MAXCONNECTS, options.connectionLimit) == CURLM_OK,
            ponte_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX)) == CURLM_OK
        else { throw .internalFailure("libcurl refuses an option of the engine") }
    }

    deinit {
        // Handles first, then the multi handle (which closes the connections), then what its callbacks use.
        running = []
        curl_multi_cleanup(handle)
        close(epoll)
    }

    private var handle: UnsafeMutableRawPointer { UnsafeMutableRawPointer(multi) }

    /// Runs until stopped and every accepted call has its answer.
    func run() {
        let capacity = 256
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        events.initialize(repeating: epoll_event(), count: capacity)
        defer { events.deallocate() }

        while true {
            takeMessages()
            expireLate()
            startWaiting()
            if stopping, running.isEmpty, waitingByDeadline.count == 0 { return }
            if let due = curlDue, due <= clock.now { act(CURL_SOCKET_TIMEOUT, 0) }
            collectFinished()
            // What ended just now left places: nothing else may wake this thread for those who wait for them.
            startWaiting()

            let count = Int(epoll_wait(epoll, events, Int32(capacity), timeout()))
            if count <= 0 { continue }
            for index in 0..<count {
                let (socket, reported) = (events[index].data.fd, events[index].events)
                if socket == inbox.wake {
                    var value: UInt64 = 0
                    _ = read(socket, &value, 8)
                } else if let bits = sockets.bits(socket, reported) {
                    act(socket, bits)
                }
            }
            collectFinished()
        }
    }

    private func act(_ socket: curl_socket_t, _ bits: Int32) {
        // One shot: libcurl sets the timer again if it still wants it.
        if socket == CURL_SOCKET_TIMEOUT { curlDue = nil }
        var stillRunning: Int32 = 0
        curl_multi_socket_action(handle, socket, bits, &stillRunning)
    }

    /// Milliseconds until something is due, rounded up; -1: nothing is.
    private func timeout() -> Int32 {
        var due = curlDue
        for first in [waitingByDeadline.first, runningByDeadline.first] {
            if let first { due = min(due ?? first.due, first.due) }
        }
        // One that is due by now was not when `startWaiting` looked.
        for channel in ready { if let paused = channel.paused { due = min(due ?? paused, paused) } }
        guard let due else { return -1 }
        return Int32(clamping: (due - clock.now).wholeMilliseconds)
    }

    fileprivate func setTimer(_ milliseconds: Int) {
        curlDue = milliseconds < 0 ? nil : clock.now + .milliseconds(milliseconds)
    }

    fileprivate func watch(_ socket: Int32, _ interest: Int32) { sockets.watch(socket, interest) }

    // MARK: Messages

    private func takeMessages() {
        inbox.take(into: &messages)
        for message in messages {
            switch message {
            case .submit(let call): accept(call)
            case .cancel(let call): stop(call, .cancelled, "the caller was cancelled")
            case .refuseWaiting(let channel, let error):
                while let call = channel.places.waiting.first ?? channel.ready.first {
                    leaveQueue(call)
                    answer(call, .failure(error))
                }
            case .forget(let channel):
                channel.forgotten = true
                channel.idle = []
            case .stop(let cancelling):
                stopping = true
                if cancelling { stopAll() }
            }
        }
        messages.removeAll(keepingCapacity: true)
    }

    private func accept(_ call: Call) {
        // Cancelled before it came here.
        if call.isFinished { return answer(call, fail(call, .cancelled, "the caller was cancelled")) }
        let channel = call.channel
        let now = clock.now
        if call.deadline <= now { return answer(call, fail(call, .deadline, "the deadline passed")) }
        if channel.hasPlace, channel.ready.first == nil, mayRunMore(channel) {
            switch leave(call, now) {
            case .granted:
                channel.places.taken += 1
                return start(call, now)
            case .wait(let moment): channel.paused = moment
            case .refused(let error): return answer(call, .failure(error))
            }
        } else if let turn = call.turn, let error = channel.health.refusal(turn, now) {
            // The breaker opened while the call was on its way here.
            return answer(call, .failure(error))
        }
        if !mayQueueMore(channel) {
            return answer(call, fail(call, .saturated, "too many calls are waiting"))
        }
        waitingByDeadline.insert(call)
        channel.places.queued += 1
        if channel.hasPlace {
            channel.places.taken += 1
            waitForEngine(call)
        } else {
            call.state = .waitingForChannel
            channel.places.waiting.append(call)
        }
    }

    private func leave(_ call: Call, _ now: ContinuousClock.Instant) -> ChannelHealth.Leave {
        call.turn.map { call.channel.health.leave($0, now) } ?? .granted
    }

    /// Whether the engine has a place for one more call of a channel: it may have three times as many as it leaves free,
    /// or one. One channel alone thus gets three quarters, and the more of them want all, the fewer gets each.
    private func mayRunMore(_ channel: ChannelState) -> Bool {
        let left = options.maxInFlight - running.count - 1
        return left >= 0 && (channel.running == 0 || channel.running + 1 <= 3 * left)
    }

    /// The same for the engine's queue: a tenant whose calls wait leaves a quarter of it to the others.
    private func mayQueueMore(_ channel: ChannelState) -> Bool {
        let left = options.maxQueued - waitingByDeadline.count - 1
        let queued = channel.places.queued
        return left >= 0 && (queued == 0 || queued + 1 <= 3 * left)
    }

    /// Ends a call wherever it is; nothing if it has ended.
    private func stop(_ call: Call, _ kind: TransportError.Kind, _ detail: String) {
        switch call.state {
        case .new: call.state = .finished
        case .finished: break
        case .waitingForChannel, .waitingForEngine:
            leaveQueue(call)
            answer(call, fail(call, kind, detail))
        case .running(let transfer):
            let state = transfer.failureState()
            let reached = call.mayHaveReachedServer || TransportError.mayHaveReached(state)
            end(transfer)
            let error = TransportError(kind: kind, phase: state.phase, mayHaveReachedServer: reached, detail: detail)
            answer(call, .failure(error))
        }
    }

    private func stopAll() {
        let detail = "the engine shuts down"
        while let call = waitingByDeadline.first { stop(call, .shuttingDown, detail) }
        while let call = running.last?.call { stop(call, .shuttingDown, detail) }
    }

    // MARK: Waiting

    private func expireLate() {
        guard waitingByDeadline.count > 0 || runningByDeadline.count > 0 else { return }
        let now = clock.now
        while let call = runningByDeadline.first, call.due <= now { stop(call, .deadline, "the deadline passed") }
        while let call = waitingByDeadline.first, call.latestStart <= now { giveUpWaiting(call, now) }
    }

    /// There is no time left for its answer, or none at all.
    private func giveUpWaiting(_ call: Call, _ now: ContinuousClock.Instant) {
        if call.deadline <= now { return stop(call, .deadline, "the deadline passed") }
        stop(call, .saturated, "it waited until too little time was left")
    }

    /// Each free place of the engine goes to the channel that has the fewest: a tenant whose system is slow, or who may
    /// have many calls at once, does not keep the others waiting.
    private func startWaiting() {
        let now = clock.now
        while let index = nextReady(now), let call = ready[index].ready.first {
            // Those who have equally few take turns.
            let channel = ready.remove(at: index)
            ready.append(channel)
            if call.latestStart <= now {
                giveUpWaiting(call, now)
                continue
            }
            switch leave(call, now) {
            case .granted:
                stopWaitingForEngine(call)
                leaveHeap(call)
                start(call, now)
            case .wait(let moment): channel.paused = moment
            case .refused(let error):
                leaveQueue(call)
                answer(call, .failure(error))
            }
        }
    }

    private func nextReady(_ now: ContinuousClock.Instant) -> Int? {
        var fewest: Int?
        for (index, channel) in ready.enumerated() {
            if let paused = channel.paused {
                if paused > now { continue }
                channel.paused = nil
            }
            if channel.running < fewest.map({ ready[$0].running }) ?? .max { fewest = index }
        }
        // Where the one that has the fewest may have no more, nobody may.
        return fewest.flatMap { mayRunMore(ready[$0]) ? $0 : nil }
    }

    private func leaveHeap(_ call: Call) {
        waitingByDeadline.remove(call)
        call.channel.places.queued -= 1
    }

    private func leaveQueue(_ call: Call) {
        leaveHeap(call)
        if case .waitingForEngine = call.state {
            stopWaitingForEngine(call)
            releasePlace(of: call.channel)
        } else {
            call.channel.places.waiting.remove(call)
        }
    }

    /// Gives a place of the channel to the call that waits longest for it.
    private func releasePlace(of channel: ChannelState) {
        let places = channel.places
        places.taken -= 1
        // More than one where the limit has grown.
        while let call = places.waiting.first, call.channel.hasPlace {
            places.waiting.remove(call)
            places.taken += 1
            waitForEngine(call)
        }
    }

    private func waitForEngine(_ call: Call) {
        call.state = .waitingForEngine
        if call.channel.ready.first == nil { ready.append(call.channel) }
        call.channel.ready.append(call)
    }

    private func stopWaitingForEngine(_ call: Call) {
        call.channel.ready.remove(call)
        if call.channel.ready.first == nil { ready.removeAll { $0 === call.channel } }
    }

    // MARK: Transfers

    /// The call holds a place of its channel, has its turn and time left, and the engine has a place.
    private func start(_ call: Call, _ now: ContinuousClock.Instant) {
        call.started = now
        let transfer: Transfer
        if let idle = call.channel.idle.popLast() {
            transfer = idle
        } else {
            do throws(TransportError) {
                transfer = try Transfer(call.channel.settings, scope: call.channel.scope, sockets: sockets)
            } catch {
                releasePlace(of: call.channel)
                return answer(call, .failure(error))
            }
        }
        transfer.call = call
        transfer.runningIndex = running.count
        running.append(transfer)
        call.state = .running(transfer)
        call.due = call.deadline + Self.patience
        runningByDeadline.insert(call)
        call.channel.running += 1
        launch(transfer, call, fresh: false, now)
    }

    private func launch(_ transfer: Transfer, _ call: Call, fresh: Bool, _ now: ContinuousClock.Instant) {
        let code = transfer.prepare(call, fresh: fresh, now: now)
        if code == CURLE_OK, curl_multi_add_handle(handle, transfer.easy) == CURLM_OK { return }
        end(transfer)
        answer(call, fail(call, .internal, "libcurl refuses the call"))
    }

    private func collectFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(handle, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let pointer = ponte_easy_private(easy)
            else { continue }
            let code = message.pointee.data.result
            finish(Unmanaged<Transfer>.fromOpaque(pointer).takeUnretainedValue(), code)
        }
    }

    private func finish(_ transfer: Transfer, _ code: CURLcode) {
        guard let call = transfer.call else { return }
        if code == CURLE_OK {
            let result = transfer.takeAnswer()
            end(transfer)
            return answer(call, .success(result))
        }
        let state = transfer.failureState()
        let now = clock.now
        if call.request.repeatability == .safe, !call.retried, transfer.diedOnKeptConnection(code), now < call.deadline,
            call.turn == nil || call.channel.health.mayResend(now)
        {
            call.retried = true
            call.mayHaveReachedServer = true
            curl_multi_remove_handle(handle, transfer.easy)
            return launch(transfer, call, fresh: true, now)
        }
        let error = TransportError(code, state)
        end(transfer)
        answer(call, .failure(call.mayHaveReachedServer ? error.afterReachingServer : error))
    }

    /// Takes the transfer off the wire and hands its places on.
    private func end(_ transfer: Transfer) {
        curl_multi_remove_handle(handle, transfer.easy)
        running.swapAt(transfer.runningIndex, running.count - 1)
        running[transfer.runningIndex].runningIndex = transfer.runningIndex
        running.removeLast()
        guard let call = transfer.call else { return }
        let channel = call.channel
        runningByDeadline.remove(call)
        channel.running -= 1
        transfer.retire()
        if !channel.forgotten { channel.idle.append(transfer) }
        releasePlace(of: channel)
    }

    private func fail(
        _ call: Call, _ kind: TransportError.Kind, _ detail: String
    ) -> Result<UpstreamAnswer, TransportError> {
        .failure(
            TransportError(
                kind: kind, phase: .queued, mayHaveReachedServer: call.mayHaveReachedServer, detail: detail,
                retryAfter: kind == .saturated ? 1 : nil))
    }

    private func answer(_ call: Call, _ result: Result<UpstreamAnswer, TransportError>) {
        call.state = .finished
        let continuation = call.continuation
        call.continuation = nil
        continuation?.resume(returning: result)
    }
}

extension TransportError {
    var afterReachingServer: TransportError {
        TransportError(kind: kind, phase: phase, mayHaveReachedServer: true, detail: detail, retryAfter: retryAfter)
    }

    /// For a transfer stopped from outside.
    static func mayHaveReached(_ state: TransferState) -> Bool {
        switch state.phase {
        case .queued, .resolving, .connecting, .handshaking: state.requestBytesSent
        case .sending, .waiting, .receiving: true
        }
    }
}

private func loop(_ pointer: UnsafeMutableRawPointer?) -> EngineLoop? {
    pointer.map { Unmanaged<EngineLoop>.fromOpaque($0).takeUnretainedValue() }
}

private let interestChanged: curl_socket_callback = { _, socket, interest, user, _ in
    loop(user)?.watch(socket, interest)
    return 0
}

private let timerChanged: curl_multi_timer_callback = { _, milliseconds, user in
    loop(user)?.setTimer(milliseconds)
    return 0
}
