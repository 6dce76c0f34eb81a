/// The members of each object of the profile language. The compiler reads by them, and a test compares
/// `Config/schema/driver.schema.json` with them.
enum Members {
    static let profile = [
        "name", "title", "documentation", "baseURL", "credentials", "settings", "request", "login", "foldCase",
        "charset", "fields",
        "operations", "outcomes", "search", "create", "update", "limits", "staleReads", "retryAfter",
    ]
    static let credential = ["description"]
    static let setting = ["description", "default", "from", "afterLast"]
    static let shared = ["headers", "query", "basic"]
    static let basic = ["user", "password"]
    static let login = ["request", "token", "lifetime", "refreshToken", "refresh", "replaces", "again"]
    static let refresh = ["request", "token", "lifetime", "refreshToken"]
    static let lifetime = ["at", "default"]

    private static let sent = ["method", "path", "query", "headers", "basic", "json", "form", "multipart"]
    /// A login or a refresh.
    static let bareRequest = sent + ["outcomes"]
    static let operation = sent + ["items", "item", "tolerate", "shape", "paging", "outcomes", "answer", "ifMatch"]
    static let answer = ["id", "sent", "location", "item"]
    static let paging = ["style", "base", "maximum", "fixed", "total", "pages", "more", "next", "shortPageEnds"]

    static let shapes = ["row", "detail", "write", "create", "update", "needsDetail"]
    static let lens = [
        "at", "each", "where", "parts", "format", "absent", "also", "set", "default", "filler", "as", "invalid", "only",
        "foreign", "readOnly", "prefix", "mediaType", "most", "is", "isNot",
    ]
    static let phoneParts = ["areaCode", "number", "spelling"]
    static let nameParts = ["first", "middle", "rest", "blank", "given", "family"]

    static let outcome = ["when", "then", "reasons", "members"]
    static let when = ["status", "contentType", "body", "text"]
    static let bodyTest = ["equals", "present", "empty", "contains"]

    static let attempt = ["operation", "query", "with", "spellings", "together", "twin", "trust", "escape", "forbid"]
    static let escape = ["characters", "with"]
    static let create = ["duplicates", "requires", "fixed"]
    static let update = ["style", "required", "omit", "guard", "fixed", "calls"]
    static let guarded = ["held", "unless"]
    static let limits = ["concurrent", "calls", "per"]
    static let retryAfter = ["header", "as"]

    /// Every table, by the name of its definition in the schema; "" is the whole file.
    static let tables: [(definition: String, members: [String])] = [
        ("", profile), ("credential", credential), ("setting", setting), ("shared", shared), ("basic", basic),
        ("login", login), ("refresh", refresh), ("lifetime", lifetime), ("bareRequest", bareRequest),
        ("operation", operation), ("answer", answer), ("paging", paging), ("shapes", shapes), ("lens", lens),
        ("phoneParts", phoneParts), ("nameParts", nameParts), ("outcome", outcome), ("when", when),
        ("bodyTest", bodyTest), ("attempt", attempt), ("escape", escape), ("create", create), ("update", update),
        ("guarded", guarded),
        ("limits", limits), ("retryAfter", retryAfter),
    ]

    /// Methods that an operation may name.
    static let methods = ["GET", "POST", "PUT", "PATCH"]
    static let pageStyles = ["offset", "page", "cursor", "link", "none"]
    static let updateStyles = ["partial", "partialWithRequired", "full", "perField"]
}
