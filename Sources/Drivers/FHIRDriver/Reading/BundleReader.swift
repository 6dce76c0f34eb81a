import ClientContract
import JSONBytes

/// Reads the answer of a search: a Bundle of the type `searchset` (FHIR R4, section 3.1.1.1).
struct BundleReader: Sendable {
    struct Page {
        var clients: [Client] = []
        /// Patients sent, those that do not count included.
        var rows = 0
        var total: Int?
        /// As the server wrote them.
        var next: String?
        var selfLink: String?
        /// Outcomes that stand among the entries, and say that the search failed.
        var failure: OperationOutcome?
    }

    let patients: PatientReader

    func read(_ document: JSONDocument) throws(PatientReader.Fault) -> Page {
        var result: Result<Page, PatientReader.Fault> = .success(Page())
        document.withView { view in
            do throws(PatientReader.Fault) {
                result = .success(try read(view, document))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    private func read(_ view: JSONView, _ document: JSONDocument) throws(PatientReader.Fault) -> Page {
        guard let type = FHIRText.member(view, 0, "resourceType"), FHIRText.equals(view, type, "Bundle") else {
            throw PatientReader.Fault(message: "the answer to a search is not a Bundle")
        }
        guard let kind = FHIRText.member(view, 0, "type"), FHIRText.equals(view, kind, "searchset") else {
            throw PatientReader.Fault(message: "the answer to a search is not a Bundle of the type searchset")
        }
        var page = Page()
        page.total = FHIRText.member(view, 0, "total").flatMap { Int(FHIRText.string(view, $0)) }
        if let links = FHIRText.member(view, 0, "link") {
            for link in FHIRText.elements(view, links) {
                guard let relation = FHIRText.member(view, link, "relation"),
                    let url = FHIRText.member(view, link, "url"), view.kind(url) == .string
                else { continue }
                if FHIRText.equals(view, relation, "next") { page.next = FHIRText.string(view, url) }
                if FHIRText.equals(view, relation, "self") { page.selfLink = FHIRText.string(view, url) }
            }
        }
        guard let entries = FHIRText.member(view, 0, "entry") else { return page }
        guard view.kind(entries) == .array else { throw PatientReader.Fault(message: "a Bundle's entry is no array") }
        var builder = ClientBuilder(capacity: document.bytes.count / 2)
        let end = view.next(entries)
        var entry = entries + 1
        while entry < end {
            defer { entry = view.next(entry) }
            guard let resource = FHIRText.member(view, entry, "resource") else {
                throw PatientReader.Fault(message: "an entry of a Bundle has no resource")
            }
            let mode = FHIRText.member(view, entry, "search").flatMap { FHIRText.member(view, $0, "mode") }
            let type = FHIRText.member(view, resource, "resourceType").map { FHIRText.string(view, $0) }
            if type == "OperationOutcome" {
                let outcome = OperationOutcome(JSONValue(document: document, index: resource))
                if outcome.isFailure { page.failure = outcome }
                continue
            }
            // What was only included is no match.
            if let mode, FHIRText.equals(view, mode, "include") || FHIRText.equals(view, mode, "outcome") { continue }
            guard type == "Patient" else {
                throw PatientReader.Fault(message: "an entry of a Bundle is not a Patient")
            }
            page.rows += 1
            _ = try patients.read(view, resource, into: &builder)
        }
        page.clients = builder.finish()
        return page
    }
}
