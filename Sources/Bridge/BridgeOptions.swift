public import ClientContract

/// What a clinic wants where the contract leaves a choice.
public struct BridgeOptions: Sendable {
    /// What to do with a create that repeats a record (design, section 6).
    public enum DuplicateAction: String, Sendable, CaseIterable { case returnExisting, reject, create }

    /// Reading all clients to find a term that the system cannot search for.
    public struct Scan: Sendable {
        public var allowed: Bool
        /// Give up, with an error, beyond this many clients.
        public var maxRecords: Int
        public init(allowed: Bool = false, maxRecords: Int = 20_000) {
            self.allowed = allowed
            self.maxRecords = maxRecords
        }
    }

    /// The kinds that a term is tried as, in order.
    public var searchBy: [TermKind]
    public var rules: InputRules
    public var onDuplicate: DuplicateAction
    public var scan: Scan
    /// Fetch the full record for each row of a list that lacks members. Off: lists leave those members out.
    public var listDetail: Bool
    /// Most calls at once for one inbound call.
    public var concurrentDetails: Int
    /// How long after a create without an answer its record may yet appear, where reads do not lag.
    public var settling: Duration

    public init(
        searchBy: [TermKind] = [.phone, .cpf, .email], rules: InputRules = InputRules(),
        onDuplicate: DuplicateAction = .returnExisting, scan: Scan = Scan(), listDetail: Bool = false,
        concurrentDetails: Int = 8, settling: Duration = .seconds(30)
    ) {
        self.searchBy = searchBy
        self.rules = rules
        self.onDuplicate = onDuplicate
        self.scan = scan
        self.listDetail = listDetail
        self.concurrentDetails = concurrentDetails
        self.settling = settling
    }
}
