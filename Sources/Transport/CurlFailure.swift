import CCurl

/// What one libcurl transfer knew of itself when it failed.
struct TransferState {
    /// Furthest phase that the transfer is known to have reached.
    var phase: TransportError.Phase
    /// Bytes of request handed to a connection, over all connections that libcurl tried.
    var requestBytesSent: Bool
    /// The body or header limit stopped it.
    var overLimit: Bool
    /// The deadline is what the timeout stood for (otherwise: the connect timeout).
    var deadlinePassed: Bool
    /// Nothing was dialled, because the channel allows none of the addresses.
    var addressRefused: Bool
    /// What OpenSSL found wrong with the certificate (`X509_V_ERR_…`).
    var verification: Int
}

/// How a libcurl error code reads: kind, phrase, and the phase where the code alone decides it.
private struct Reading {
    var kind: TransportError.Kind
    var detail: String
    var phase: TransportError.Phase?

    init(_ kind: TransportError.Kind, _ detail: String, _ phase: TransportError.Phase? = nil) {
        self.kind = kind
        self.detail = detail
        self.phase = phase
    }
}

/// The table of libcurl's codes (https://curl.se/libcurl/c/libcurl-errors.html).
private func reading(of code: CURLcode, _ state: TransferState) -> Reading {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST: Reading(.nameResolution, "the host name does not resolve", .resolving)
    case CURLE_COULDNT_CONNECT where state.addressRefused, CURLE_ABORTED_BY_CALLBACK where state.addressRefused:
        Reading(
            .addressRefused, "the host has an address that is not allowed for this tenant (upstream.addresses)",
            .connecting)
    case CURLE_COULDNT_CONNECT: Reading(.connect, "the connection was refused or is unreachable", .connecting)
    case CURLE_ABORTED_BY_CALLBACK: Reading(.connect, "the connection broke as soon as it was there", .connecting)
    case CURLE_INTERFACE_FAILED: Reading(.connect, "the network interface is not usable", .connecting)
    case CURLE_SSL_CONNECT_ERROR: Reading(.tls, "the TLS handshake failed", .handshaking)
    case CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED: Reading(.tls, "no TLS parameters in common", .handshaking)
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
        Reading(.certificate, complaint(ofVerification: state.verification), .handshaking)
    case CURLE_SSL_CERTPROBLEM:
        Reading(.ownFile, "the client certificate or its key cannot be used", .handshaking)
    case CURLE_SSL_CACERT_BADFILE: Reading(.ownFile, "the CA file cannot be read", .handshaking)
    case CURLE_SSL_CLIENTCERT: Reading(.tls, "the server asks for a client certificate", .handshaking)
    case CURLE_SEND_ERROR: Reading(.send, "the connection broke while sending")
    case CURLE_SEND_FAIL_REWIND: Reading(.send, "the request could not be sent again")
    case CURLE_RECV_ERROR: Reading(.receive, "the connection broke while receiving")
    case CURLE_GOT_NOTHING: Reading(.emptyAnswer, "the server closed without an answer", .waiting)
    case CURLE_PARTIAL_FILE: Reading(.truncated, "the answer ended before its announced end", .receiving)
    case CURLE_BAD_CONTENT_ENCODING:
        Reading(.badEncoding, "the answer's content encoding is unknown or broken", .receiving)
    case CURLE_WRITE_ERROR:
        state.overLimit
            ? Reading(.tooLarge, "the answer exceeds the size limit", .receiving)
            : Reading(.badEncoding, "the answer's content encoding is broken", .receiving)
    case CURLE_FILESIZE_EXCEEDED: Reading(.tooLarge, "the answer exceeds the size limit", .receiving)
    case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL:
        Reading(.protocolViolation, "the answer is not HTTP", .receiving)
    case CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_HTTP3:
        Reading(.protocolViolation, "the HTTP/2 connection failed")
    case CURLE_OPERATION_TIMEDOUT:
        state.deadlinePassed
            ? Reading(.deadline, "the deadline passed")
            : Reading(.connectTimeout, "the connection was not ready in time")
    case CURLE_URL_MALFORMAT: Reading(.invalidRequest, "the URL cannot be used", .queued)
    case CURLE_OUT_OF_MEMORY: Reading(.internal, "out of memory")
    default: Reading(.internal, "libcurl failed with code \(code.rawValue)")
    }
}

/// What OpenSSL's verification found (https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/). Libcurl compares the
/// name itself, before it asks for that: then the number is still the 1 that it began with.
private func complaint(ofVerification result: Int) -> String {
    switch result {
    case 0, 1: "the server's certificate is for another name"
    case 9: "the server's certificate is not valid yet"
    case 10: "the server's certificate has expired"
    case 18: "the server's certificate is signed by itself and not trusted"
    case 2, 19, 20, 21: "the server's certificate is from an authority that is not trusted"
    case 23: "the server's certificate was revoked"
    default: "the server's certificate is not trusted (OpenSSL's code \(result))"
    }
}

extension TransportError {
    /// Reads a libcurl failure. When it is unsure whether the request left, it says that it may have.
    init(_ code: CURLcode, _ state: TransferState) {
        let read = reading(of: code, state)
        let beforeSending: Set<Phase> = [.queued, .resolving, .connecting, .handshaking]
        let phase = read.phase ?? state.phase
        self.init(
            kind: read.kind, phase: phase,
            mayHaveReachedServer: state.requestBytesSent || !beforeSending.contains(phase), detail: read.detail)
    }
}
