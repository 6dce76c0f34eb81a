public import ClientContract
import DriverSupport
import JSONBytes
public import UpstreamDriver

extension FHIRDriver {
    public func client(_ id: ClientID, _ context: CallContext) async throws(UpstreamError) -> Client {
        let plan = await settledPlan(context)
        guard plan.operations.contains(.get) else { throw .unsupported("it cannot show one client") }
        return try await fetch(id, plan, context).client
    }

    /// A resource as it was read.
    struct Fetched {
        let client: Client
        let resource: JSONValue
        /// The version for `If-Match`; nil where the server has none.
        let entityTag: String?
    }

    /// FHIR R4, id: letters, digits, hyphens and points, at most 64. Any other id was given to nobody, and nothing is sent.
    static func allows(_ id: ClientID) -> Bool {
        let isSound = id.text.utf8.allSatisfy {
            ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
        return isSound && (1...64).contains(id.text.utf8.count) && id.text != "." && id.text != ".."
    }

    func fetch(_ id: ClientID, _ plan: FHIRPlan, _ context: CallContext) async throws(UpstreamError) -> Fetched {
        guard Self.allows(id) else { throw .notFound }
        let call = FHIRCall(role: .get, url: caller.url(plan.paths.read, id: id.text), sent: [id.text])
        let answer = try await caller.send(call, context)
        guard answer.isSuccess else { throw caller.error(answer, call) }
        return try record(in: answer, id: id, plan)
    }

    /// The record that an answer holds.
    func record(in answer: FHIRAnswer, id: ClientID?, _ plan: FHIRPlan) throws(UpstreamError) -> Fetched {
        guard let document = answer.document else { throw .malformed("the answer is not JSON") }
        let reader = reader(plan)
        let read: Result<(Client?, String?), PatientReader.Fault> = document.withView { view in
            do throws(PatientReader.Fault) {
                let places = try reader.places(view, 0)
                var builder = ClientBuilder()
                _ = try reader.read(view, 0, into: &builder)
                let version = places.version >= 0 ? FHIRText.string(view, places.version) : nil
                return .success((builder.finish().first, version))
            } catch {
                return .failure(error)
            }
        }
        switch read {
        case .failure(let fault): throw .malformed(fault.message)
        case .success((nil, _)): throw .notFound
        case .success((let client?, let version)):
            // The wrong record must never be taken for the one that was asked for.
            if let id, client.id != id { throw .malformed("another record came than the one asked for") }
            return Fetched(
                client: client, resource: document.root,
                entityTag: Self.entityTag(header: answer.http.headers.first("ETag"), version: version))
        }
    }

    /// The tag for `If-Match`. A server's tag is its version (FHIR R4, section 3.1.0.1.3): where the header says something
    /// else, a proxy put a tag of its own there, as some do when they compress, and the server would never know it.
    private static func entityTag(header: String?, version: String?) -> String? {
        let header = EntityTag.usable(header)
        guard let version = EntityTag.usable(version), !version.contains("\"") else { return header }
        if let header, EntityTag.content(header) == version { return header }
        return "W/\"\(version)\""
    }
}
