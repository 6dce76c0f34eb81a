import CCurl
import Glibc

/// One libcurl easy handle with what it collects: options of the channel set once, those of the call set for each.
///
/// Belongs to the engine's thread. Libcurl holds an unretained pointer to it for as long as the handle exists.
final class Transfer {
    let easy: UnsafeMutableRawPointer
    private let maxBodyBytes: Int
    private let connectTimeout: Duration
    private let http2: Bool
    private let addresses: AddressPolicy
    private let sockets: SocketTable
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var hasCopiedBody = false

    /// The call being served; `nil` in the pool.
    var call: Call?
    /// Place in the loop's list of running transfers.
    var runningIndex = -1

    private var headers = AnswerHeaders()
    private var headerBytes = 0
    private var headersComplete = false
    private var body: [UInt8] = []
    private var overLimit = false
    private var sawAnswer = false
    private var deadlineComesFirst = true
    /// Addresses that were dialled, and that were not, because the tenant does not allow them.
    private var dialled = 0
    private var refusedAddresses = 0
    private var connectionRefused = false
    /// The address of a connection that was judged and may be used, ended by zero: mostly the next one has it, too.
    private var judged: [CChar] = [0]

    private static let maxHeaderBytes = 256 << 10
    /// Room taken at once on the word of a `Content-Length`.
    private static let maxReservation = 1 << 20

    init(_ settings: ChannelSettings, scope: UInt32, sockets: SocketTable) throws(TransportError) {
        guard let easy = curl_easy_init() else { throw .internalFailure("libcurl gives no handle") }
        self.easy = easy
        maxBodyBytes = settings.maxBodyBytes
        connectTimeout = settings.connectTimeout
        http2 = settings.http2
        addresses = settings.addresses
        self.sockets = sockets
        // If this throws, the instance is complete and `deinit` frees the handle.
        try setFixedOptions(settings, scope)
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerList)
    }

    private func setFixedOptions(_ settings: ChannelSettings, _ scope: UInt32) throws(TransportError) {
        guard isFieldValue(settings.userAgent.utf8) else { throw .invalid("the user agent has control characters") }
        let me = Unmanaged.passUnretained(self).toOpaque()
        var code = CURLE_OK
        func set(_ option: CURLoption, _ value: Int) {
            if code == CURLE_OK { code = ponte_easy_set_long(easy, option, value) }
        }
        func set(_ option: CURLoption, _ value: String) {
            if code == CURLE_OK { code = ponte_easy_set_text(easy, option, value) }
        }
        func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer) {
            if code == CURLE_OK { code = ponte_easy_set_pointer(easy, option, value) }
        }
        set(CURLOPT_PRIVATE, me)
        set(CURLOPT_WRITEDATA, me)
        set(CURLOPT_HEADERDATA, me)
        set(CURLOPT_OPENSOCKETDATA, me)
        set(CURLOPT_PREREQDATA, me)
        // Connections outlive the transfer that opened them.
        set(CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(sockets).toOpaque())
        if code == CURLE_OK { code = ponte_easy_set_sink(easy, CURLOPT_WRITEFUNCTION, receiveBody) }
        if code == CURLE_OK { code = ponte_easy_set_sink(easy, CURLOPT_HEADERFUNCTION, receiveHeader) }
        if code == CURLE_OK { code = ponte_easy_set_open_socket(easy, openSocket) }
        if code == CURLE_OK { code = ponte_easy_set_close_socket(easy, closeSocket) }
        if code == CURLE_OK { code = ponte_easy_set_prerequest(easy, checkConnection) }

        set(CURLOPT_NOSIGNAL, 1)
        // A slow name server must not hold the thread when a call leaves while its name is being looked up (7.87).
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_BUFFERSIZE, 64 << 10)
        set(CURLOPT_ACCEPT_ENCODING, "")
        set(CURLOPT_USERAGENT, settings.userAgent)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_PATH_AS_IS, 1)
        // An empty text: no proxy, and none from the environment either.
        set(CURLOPT_PROXY, "")
        set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        set(CURLOPT_CONNECTTIMEOUT_MS, max(1, settings.connectTimeout.wholeMilliseconds))
        // Libcurl keeps connections by port, host and this number. For an address it counts with link-local ones only,
        // and no base URL can name one with its interface.
        set(CURLOPT_ADDRESS_SCOPE, Int(scope))
        set(CURLOPT_MAXAGE_CONN, max(1, Int(settings.connectionMaxAge.components.seconds)))
        // Zero would mean for ever.
        set(CURLOPT_MAXLIFETIME_CONN, max(1, Int(settings.connectionLifetime.components.seconds)))

        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let file = settings.caFile {
            set(CURLOPT_CAINFO, file)
            // The file replaces the system's authorities: Debian's directory of them would be trusted as well.
            if code == CURLE_OK { code = ponte_easy_set_text(easy, CURLOPT_CAPATH, nil) }
        }
        if let file = settings.clientCertificateFile { set(CURLOPT_SSLCERT, file) }
        if let file = settings.clientKeyFile { set(CURLOPT_SSLKEY, file) }
        if let password = settings.clientKeyPassword { set(CURLOPT_KEYPASSWD, password) }
        if settings.http2 { set(CURLOPT_PIPEWAIT, 1) }
        if code != CURLE_OK { throw .internalFailure("libcurl refuses an option of the channel") }
    }

    /// Sets everything that differs between calls, whether the last one used it or not.
    func prepare(_ call: Call, fresh: Bool, now: ContinuousClock.Instant) -> CURLcode {
        let request = call.request
        let alone = request.repeatability == .unsafe
        let remaining = call.deadline - now
        deadlineComesFirst = remaining <= connectTimeout
        headers = AnswerHeaders()
        headerBytes = 0
        headersComplete = false
        body = []
        overLimit = false
        sawAnswer = false
        dialled = 0
        refusedAddresses = 0
        connectionRefused = false

        var code = ponte_easy_set_text(easy, CURLOPT_URL, request.url)
        func set(_ option: CURLoption, _ value: Int) {
            if code == CURLE_OK { code = ponte_easy_set_long(easy, option, value) }
        }
        set(CURLOPT_TIMEOUT_MS, max(1, remaining.wholeMilliseconds))
        set(CURLOPT_FRESH_CONNECT, alone || fresh ? 1 : 0)
        set(CURLOPT_FORBID_REUSE, alone ? 1 : 0)
        // HTTP/1.1 for `.unsafe`: a stream of another call on the same connection would let libcurl send it again.
        let version = http2 && !alone ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1
        set(CURLOPT_HTTP_VERSION, version)
        if code == CURLE_OK { code = setMethodAndBody(request) }
        if code == CURLE_OK { code = setHeaders(request) }
        return code
    }

    private func setMethodAndBody(_ request: OutboundRequest) -> CURLcode {
        var code: CURLcode
        var usualMethod = "GET"
        if let bytes = request.body {
            code = ponte_easy_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
            if code == CURLE_OK {
                code = bytes.withUnsafeBytes {
                    // An empty array may have no address, and NULL would mean "ask the read callback".
                    $0.count == 0
                        ? ponte_easy_set_text(easy, CURLOPT_COPYPOSTFIELDS, "")
                        : ponte_easy_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress)
                }
            }
            hasCopiedBody = true
            if code == CURLE_OK { code = ponte_easy_set_long(easy, CURLOPT_POST, 1) }
            usualMethod = "POST"
        } else {
            code = dropBody()
            if code == CURLE_OK { code = ponte_easy_set_long(easy, CURLOPT_HTTPGET, 1) }
            if code == CURLE_OK, request.method == "HEAD" {
                code = ponte_easy_set_long(easy, CURLOPT_NOBODY, 1)
                usualMethod = "HEAD"
            }
        }
        if code != CURLE_OK { return code }
        return ponte_easy_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method == usualMethod ? nil : request.method)
    }

    private func setHeaders(_ request: OutboundRequest) -> CURLcode {
        // No wait for "100 Continue", and no form type that libcurl would claim for any body.
        var lines = ["Expect:"]
        if request.body != nil,
            !request.headers.contains(where: { equalsIgnoringCase($0.name.utf8, "Content-Type".utf8) })
        {
            lines.append("Content-Type:")
        }
        for (name, value) in request.headers {
            let blank = value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 }
            lines.append(blank ? "\(name);" : "\(name): \(value)")
        }
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                curl_slist_free_all(list)
                return CURLE_OUT_OF_MEMORY
            }
            list = longer
        }
        let code = ponte_easy_set_list(easy, CURLOPT_HTTPHEADER, list)
        curl_slist_free_all(headerList)
        headerList = list
        return code
    }

    private func dropBody() -> CURLcode {
        guard hasCopiedBody else { return CURLE_OK }
        hasCopiedBody = false
        let code = ponte_easy_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, nil)
        return code == CURLE_OK ? ponte_easy_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, -1) : code
    }

    /// Forgets the call: nothing of a patient or a credential stays in a pooled handle.
    func retire() {
        call = nil
        headers = AnswerHeaders()
        body = []
        _ = dropBody()
        _ = ponte_easy_set_text(easy, CURLOPT_URL, nil)
        _ = ponte_easy_set_list(easy, CURLOPT_HTTPHEADER, nil)
        curl_slist_free_all(headerList)
        headerList = nil
    }

    // MARK: What came of it

    func takeAnswer() -> UpstreamAnswer {
        let bytes = body
        body = []
        let version: HTTPVersion =
            switch ponte_easy_long(easy, CURLINFO_HTTP_VERSION) {
            case Int(CURL_HTTP_VERSION_1_1): .http11
            case Int(CURL_HTTP_VERSION_2_0): .http2
            default: .other
            }
        return UpstreamAnswer(
            status: ponte_easy_long(easy, CURLINFO_RESPONSE_CODE), headers: headers, body: bytes,
            reusedConnection: reusedConnection, httpVersion: version,
            timings: CallTimings(
                nameLookup: time(CURLINFO_NAMELOOKUP_TIME_T), connect: time(CURLINFO_CONNECT_TIME_T),
                tls: time(CURLINFO_APPCONNECT_TIME_T), firstByte: time(CURLINFO_STARTTRANSFER_TIME_T),
                total: time(CURLINFO_TOTAL_TIME_T)))
    }

    /// What to tell the caller about a transfer that failed or is being stopped.
    func failureState() -> TransferState {
        let phase: TransportError.Phase
        if sawAnswer {
            phase = .receiving
        } else if ponte_easy_offset(easy, CURLINFO_PRETRANSFER_TIME_T) > 0 {
            let sent = ponte_easy_offset(easy, CURLINFO_SIZE_UPLOAD_T)
            phase = sent < curl_off_t(call?.request.body?.count ?? 0) ? .sending : .waiting
        } else if ponte_easy_long(easy, CURLINFO_LOCAL_PORT) > 0 {
            // The connect time is no help here: libcurl notes it after the handshake.
            phase = .handshaking
        } else if ponte_easy_offset(easy, CURLINFO_NAMELOOKUP_TIME_T) > 0 {
            phase = .connecting
        } else {
            phase = .resolving
        }
        let beforeSending = phase == .handshaking || phase == .connecting || phase == .resolving
        return TransferState(
            phase: phase, requestBytesSent: ponte_easy_long(easy, CURLINFO_REQUEST_SIZE) > 0, overLimit: overLimit,
            deadlinePassed: !beforeSending || deadlineComesFirst,
            addressRefused: connectionRefused || (refusedAddresses > 0 && dialled == 0),
            verification: ponte_easy_long(easy, CURLINFO_SSL_VERIFYRESULT))
    }

    /// A kept connection died before any answer: the server may have closed it just as we took it.
    func diedOnKeptConnection(_ code: CURLcode) -> Bool {
        let died = code == CURLE_GOT_NOTHING || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR
        return died && !sawAnswer && reusedConnection
    }

    private var reusedConnection: Bool { ponte_easy_long(easy, CURLINFO_NUM_CONNECTS) == 0 }

    private func time(_ info: CURLINFO) -> Duration { .microseconds(Int64(ponte_easy_offset(easy, info))) }

    // MARK: Callbacks

    fileprivate func receive(header line: UnsafeBufferPointer<UInt8>) -> Bool {
        sawAnswer = true
        headerBytes += line.count
        if headerBytes > Self.maxHeaderBytes {
            overLimit = true
            return false
        }
        if line.starts(with: "HTTP/".utf8) {
            headers.removeAll()
            headersComplete = false
        } else if line.first == 0x0D || line.first == 0x0A {
            headersComplete = true
        } else if !headersComplete {
            headers.append(line: line)
        }
        return true
    }

    /// A socket for an address, unless the tenant does not allow it.
    fileprivate func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        // An IPv6 address is longer than the structure says: libcurl has room for it behind.
        let place = UnsafeRawPointer(address) + (MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0)
        let bytes = UnsafeRawBufferPointer(start: place, count: Int(address.pointee.addrlen))
        guard let target = IPAddress(socketAddress: bytes), addresses.allows(target) else {
            refusedAddresses += 1
            return CURL_SOCKET_BAD
        }
        dialled += 1
        return sockets.open(address.pointee)
    }

    /// Whether the connection may be used. A kept one is of this channel, and was judged when it was dialled; should a
    /// libcurl keep others together with it, they are judged here.
    fileprivate func mayUse(connectionTo text: UnsafePointer<CChar>) -> Bool {
        if addresses.isUnrestricted || strcmp(text, judged) == 0 { return true }
        // A connection that was reset at once has no other end any more: there is nothing to judge, and nothing to use.
        if text.pointee == 0 { return false }
        guard let target = IPAddress(String(cString: text)), addresses.allows(target) else {
            connectionRefused = true
            return false
        }
        judged = Array(UnsafeBufferPointer(start: text, count: strlen(text) + 1))
        return true
    }

    fileprivate func receive(body bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        if bytes.count > maxBodyBytes - body.count {
            overLimit = true
            return false
        }
        if body.isEmpty {
            let announced = Int(ponte_easy_offset(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T))
            body.reserveCapacity(min(max(announced, bytes.count), max(bytes.count, Self.maxReservation)))
        }
        body.append(contentsOf: bytes)
        return true
    }
}

extension TransportError {
    static func internalFailure(_ detail: String) -> TransportError {
        TransportError(kind: .internal, phase: .queued, mayHaveReachedServer: false, detail: detail)
    }
}

private func transfer(_ pointer: UnsafeMutableRawPointer?) -> Transfer? {
    pointer.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
}

private func bytes(_ data: UnsafeMutablePointer<CChar>?, _ count: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeRawBufferPointer(start: data, count: count).assumingMemoryBound(to: UInt8.self)
}

private let openSocket: curl_opensocket_callback = { user, _, address in
    guard let transfer = transfer(user), let address else { return CURL_SOCKET_BAD }
    return transfer.open(address)
}

private let checkConnection: curl_prereq_callback = { user, remote, _, _, _ in
    guard let transfer = transfer(user), let remote, transfer.mayUse(connectionTo: remote) else {
        return CURL_PREREQFUNC_ABORT
    }
    return CURL_PREREQFUNC_OK
}

private let receiveBody: curl_write_callback = { data, size, count, user in
    transfer(user)?.receive(body: bytes(data, size * count)) == true ? size * count : 0
}

private let receiveHeader: curl_write_callback = { data, size, count, user in
    transfer(user)?.receive(header: bytes(data, size * count)) == true ? size * count : 0
}
