import ClientContract
import DriverSupport
import JSONBytes
public import Transport
public import UpstreamDriver

/// Speaks to servers of HL7 FHIR R4 (4.0.1) by their Patient resource, as a profile describes them.
public final class FHIRDriver: UpstreamDriver {
    let profile: FHIRProfile
    let caller: Caller
    let phones: PhoneContext
    let settings: [String: String]
    private let narrowed: NarrowedPlan
    private let statement: StatementKeeper?

    /// - Parameters:
    ///   - profile: the server's ways.
    ///   - tenant: the clinic's address, credentials and settings.
    ///   - http: where requests go.
    public convenience init(profile: FHIRProfile, tenant: FHIRTenant, http: any HTTPSending) {
        self.init(profile: profile, tenant: tenant, http: http, loginPause: Session.pause)
    }

    init(profile: FHIRProfile, tenant: FHIRTenant, http: any HTTPSending, loginPause: Duration) {
        self.profile = profile
        phones = tenant.phones
        let signIn =
            profile.signIn(credentials: Set(tenant.credentials.keys)) ?? profile.signIns.first
            ?? SignIn(style: .none)
        var plan = profile.plan
        if tenant.repeatsRecords { plan.ifNoneExist = false }
        if let system = tenant.settings[FHIRProfile.cpfSystem], !system.isEmpty {
            plan.cpf.write = system
            plan.cpf.read = [system] + plan.cpf.read.filter { $0 != system }
        }
        var settings = tenant.settings
        for setting in profile.declared { settings[setting.name] = settings[setting.name] ?? setting.fallback }
        self.settings = settings
        plan.cpf.types = plan.cpf.types.map { JSONTemplate.text($0, settings) }
        var base = tenant.baseURL
        while base.hasSuffix("/") { base.removeLast() }
        let caller = Caller(
            baseURL: base, mediaType: plan.mediaType, bareNotFound: plan.bareNotFound,
            signer: Signer(signIn, tenant, http, pause: loginPause), http: http)
        self.caller = caller
        let narrowed = NarrowedPlan(plan, system: profile.title)
        self.narrowed = narrowed
        let metadata = caller.url(plan.paths.metadata)
        statement =
            plan.readsMetadata
            ? StatementKeeper { context in
                let answer = try? await caller.send(FHIRCall(role: .metadata, url: metadata), context)
                guard let answer, answer.isSuccess, let statement = ServerStatement(answer.document) else {
                    return false
                }
                narrowed.apply(statement)
                return true
            } : nil
    }

    public var capabilities: Capabilities { narrowed.current.capabilities }

    /// The plan by which calls are made now.
    var plan: FHIRPlan { narrowed.current.plan }

    /// The plan after the server was asked what it can do.
    func settledPlan(_ context: CallContext) async -> FHIRPlan {
        await statement?.settle(context)
        return plan
    }

    func reader(_ plan: FHIRPlan) -> PatientReader {
        PatientReader(cpf: plan.cpf, phones: phones, today: FHIRText.today())
    }
}
