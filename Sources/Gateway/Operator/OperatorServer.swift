import ClientContract
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
public import Metering
import NIOCore
public import ServiceLifecycle
public import Tenancy
import Transport

/// The operator's listener: metrics, status and a page to look at. It takes no key, and there is nothing of a patient and
/// no secret to be had. It answers until the gateway has stopped.
public final class OperatorServer: Service {
    private let tenants: TenantDirectory
    private let gateway: Gateway
    private let meter: ServerMeter
    private let listener: ServerSettings.OperatorListener
    private let linesLost: @Sendable () -> Int
    private let logger: Logger
    private let state = GatewayState()

    private static let grace = Duration.seconds(2)

    /// - Parameters:
    ///   - meter: the gateway's.
    ///   - linesLost: lines of the log that nobody will ever read.
    public init(
        tenants: TenantDirectory, gateway: Gateway, meter: ServerMeter, listener: ServerSettings.OperatorListener,
        linesLost: @escaping @Sendable () -> Int = { LogOutput.standardOutput.linesLost }, logger: Logger
    ) {
        self.tenants = tenants
        self.gateway = gateway
        self.meter = meter
        self.listener = listener
        self.linesLost = linesLost
        self.logger = logger
    }

    /// The port that it listens on, as soon as it does.
    /// - Throws: `CancellationError` when it ended without ever listening.
    public func port() async throws -> Int { try await state.port() }

    /// - Throws: what kept it from listening.
    public func run() async throws {
        // Its own connections and refusals are nobody's business.
        var options = GatewayOptions()
        let (most, told) = OpenFiles.ofThisProcess().operators
        options.maxConnections = most
        options.headerBytes = 16 << 10
        let settings = options
        let quiet = Logger(label: "operator") { _ in SwiftLogNoOpLogHandler() }
        let (inFlight, unseen) = (InFlight(), ServerMeter())
        let connections = ConnectionCount(most: most, told: told)
        let (state, host, logger) = (state, listener.host, logger)
        let application = Application(
            responder: OperatorResponder(isForLoopback: ServerSettings.isLoopback(host)) {
                [tenants, gateway, meter, linesLost] in
                OperatorReport(tenants, meter, isDraining: gateway.isDraining, linesLost: linesLost())
            },
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionSetup(settings, inFlight, connections, unseen, quiet)],
                    idleTimeout: .init(settings.idleTimeout),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: settings.headerBytes, maxHeaderListSize: settings.headerBytes,
                        maxHeaderFieldCount: 64))),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: listener.port), backlog: 64,
                availableConnectionsDelegate: MaximumAvailableConnections(most + told, logger: quiet)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                logger.notice(
                    "operator page listening", metadata: ["host": .string(host), "port": .stringConvertible(port)])
                state.isListening(on: port)
            }, logger: quiet)
        var configuration = ServiceGroupConfiguration(services: [application], logger: quiet)
        configuration.maximumGracefulShutdownDuration = Self.grace
        let group = ServiceGroup(configuration: configuration)
        defer { state.isOver() }
        do {
            try await withGracefulShutdownHandler {
                try await group.run()
            } onGracefulShutdown: {
                state.drain()
            }
        } catch  where state.isDraining {
            // The grace was over before the last reader was.
        }
    }
}

/// Answers the operator's three paths.
struct OperatorResponder: HTTPResponder {
    typealias Context = GatewayContext

    private let isForLoopback: Bool
    private let report: @Sendable () -> OperatorReport

    /// - Parameter isForLoopback: it listens there only. Then other names in `Host` are a web page's that had its own name
    ///   lead here, to read with the browser of whoever may (DNS rebinding).
    init(isForLoopback: Bool, _ report: @escaping @Sendable () -> OperatorReport) {
        self.isForLoopback = isForLoopback
        self.report = report
    }

    func respond(to request: Request, context: GatewayContext) async throws -> Response {
        let path = (request.head.path ?? "").prefix { $0 != "?" }
        guard !isForLoopback || Self.isLoopback(request.head.authority) else {
            return problem(ContractError(.noSuchRoute, "Ask for localhost or 127.0.0.1."), request)
        }
        guard let page = Page(path) else { return problem(ContractError(.noSuchRoute), request) }
        guard request.method == .get || request.method == .head else {
            return problem(ContractError(.methodNotAllowed, "This path answers GET."), request, allow: "GET")
        }
        let report = report()
        let body =
            switch page {
            case .html: Array(StatusPage.html(report).utf8)
            case .status: StatusPage.json(report)
            case .metrics: Array(MetricsPage.write(report).utf8)
            }
        let response = Response(
            status: .ok, headers: Self.fields(page.mediaType), body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// Whether a `Host`, with or without a port, is a name of this machine for itself. Callers of HTTP/1.0 have none.
    private static func isLoopback(_ authority: String?) -> Bool {
        guard let authority else { return true }
        if authority.hasPrefix("[") { return authority == "[::1]" || authority.hasPrefix("[::1]:") }
        let host = authority.prefix { $0 != ":" }.lowercased()
        guard host != "localhost" else { return true }
        let bytes = IPAddress(host)?.bytes ?? []
        return bytes.count == 4 && bytes[0] == 127
    }

    private enum Page {
        case html, status, metrics

        init?(_ path: Substring) {
            switch path {
            case "/": self = .html
            case "/status": self = .status
            case "/metrics": self = .metrics
            default: return nil
            }
        }

        var mediaType: String {
            switch self {
            case .html: "text/html; charset=utf-8"
            case .status: "application/json"
            case .metrics: Exposition.mediaType
            }
        }
    }

    /// Nothing on the page is loaded, run or framed.
    private static func fields(_ mediaType: String) -> HTTPFields {
        var fields = HTTPFields()
        fields[.contentType] = mediaType
        fields[.cacheControl] = "no-store"
        fields[.xContentTypeOptions] = "nosniff"
        fields[.contentSecurityPolicy] =
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
        return fields
    }

    private func problem(_ error: ContractError, _ request: Request, allow: String? = nil) -> Response {
        let id = RequestIdentity.new()
        let response = Answer.problem(error, requestID: id, allow: allow).response(requestID: id)
        return request.method == .head ? response.createHeadResponse() : response
    }
}
