import ClientContract
import JSONBytes
import UpstreamDriver

extension RESTDriver {
    /// One page of an operation that answers rows (or, for a lookup, one record).
    func page(
        _ operation: Operation, _ request: PageRequest, _ values: Variables, _ query: [NamedTemplate],
        _ terms: [String], _ context: CallContext
    ) async throws(UpstreamError) -> ClientPage {
        var values = values
        var link: String?
        let size = operation.paging.fixed ?? min(request.size, operation.paging.maximum)
        values["size"] = .number(size)
        values["limit"] = .number(size)
        switch (operation.paging.style, request.place) {
        case (.offset, .offset(let offset)): values["offset"] = .number(offset)
        case (.page(let base), .offset(let offset)):
            guard offset % size == 0 else { throw .unsupported("its pages begin at multiples of their size") }
            values["page"] = .number(offset / size + base)
        case (.cursor, .token(let token)): values["cursor"] = .text(token.text)
        case (.link, .token(let token)): link = token.text
        case (.cursor, .offset(0)), (.link, .offset(0)), (.none, .offset(0)): break
        default: throw .unsupported("its pages are not numbered")
        }
        let exchange = try await send(operation, .read, values, extraQuery: query, link: link, context)
        switch exchange.kind {
        case .ok: break
        case .empty: return ClientPage(clients: [], more: false)
        case .notFound where operation.items.isEmpty: return ClientPage(clients: [], more: false)
        case .notFound: throw .failed(status: exchange.status, "its list answered that it does not exist")
        // Nothing was to be written that could collide.
        case .conflict: throw .failed(status: exchange.status, "its list answered with a conflict")
        default: throw exchanger.error(exchange, .read, hiding: terms.flatMap(VendorReason.words))
        }
        guard let document = exchange.document else { throw exchange.unreadable }
        let rows: PageReader.Rows
        do {
            rows = try PageReader(operation: operation, foldCase: plan.foldCase).rows(
                document, readers[operation.shape])
        } catch {
            throw .malformed(error.message)
        }
        return try finish(rows, exchange, document, operation, request, size: size)
    }

    /// Where the list goes on, by what the vendor says and what it sent.
    private func finish(
        _ rows: PageReader.Rows, _ exchange: Exchange, _ document: JSONDocument, _ operation: Operation,
        _ request: PageRequest, size: Int
    ) throws(UpstreamError) -> ClientPage {
        let foldCase = plan.foldCase
        func value(_ pointer: JSONPointer) -> JSONValue? { document.root.at(pointer, foldCase: foldCase) }
        let paging = operation.paging
        var page = ClientPage(clients: rows.clients, rows: rows.count)
        page.total = paging.total.flatMap { value($0)?.scalarText }.flatMap { Int($0) }
        if let more = paging.more { page.more = value(more)?.truth }
        if let pages = paging.pages, let last = value(pages)?.scalarText.flatMap({ Int($0) }),
            case .offset(let offset) = request.place
        {
            page.more = offset / max(1, size) + 1 < last
        }
        switch paging.style {
        case .none: page.more = false
        case .cursor(let pointer):
            let next = value(pointer)?.scalarText.flatMap { $0.isEmpty ? nil : $0 }
            page.next = page.more == false ? nil : next.map { PageToken($0) }
            page.more = page.next != nil
        case .link(let pointer):
            if page.more != false, let next = value(pointer)?.string, !next.isEmpty {
                guard let link = SameOrigin.resolve(next, against: exchange.url) else {
                    throw .malformed("its next link leads to another address")
                }
                page.next = PageToken(link)
            }
            page.more = page.next != nil
        case .offset, .page:
            if page.more == nil, let total = page.total, case .offset(let offset) = request.place {
                page.more = offset + rows.count < total
            }
        }
        if case .token(let asked) = request.place, page.next == asked {
            throw .malformed("its next page is the page that was asked for")
        }
        return page
    }
}

/// Reads the rows of an answer in one pass.
struct PageReader {
    struct Rows {
        var clients: [Client]
        /// Rows sent, inactive ones included.
        var count: Int
    }

    let operation: Operation
    let foldCase: Bool

    func rows(_ document: JSONDocument, _ reader: RecordReader?) throws(RecordReader.Fault) -> Rows {
        guard let reader else { throw RecordReader.Fault(message: "the profile has no fields for these rows") }
        var result: Result<Rows, RecordReader.Fault> = .success(Rows(clients: [], count: 0))
        document.withView { view in
            do throws(RecordReader.Fault) {
                result = .success(try read(view, document.bytes.count, reader))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }

    private func read(_ view: JSONView, _ size: Int, _ reader: RecordReader) throws(RecordReader.Fault) -> Rows {
        let pointers = operation.items.isEmpty ? operation.item : operation.items
        let places = pointers.compactMap { view.find($0, foldCase: foldCase) }
        guard let found = places.first(where: { view.kind($0) != .null }) ?? places.first else {
            throw RecordReader.Fault(message: "the rows are not where the profile expects them")
        }
        var single = false
        switch view.kind(found) {
        case .array: break
        case .null where operation.tolerance.null: return Rows(clients: [], count: 0)
        case .object where operation.tolerance.emptyObject && view.childCount(found) == 0:
            return Rows(clients: [], count: 0)
        case .object where operation.tolerance.single || operation.items.isEmpty: single = true
        default: throw RecordReader.Fault(message: "the rows are not an array")
        }
        var builder = ClientBuilder(capacity: size)
        var count = 0
        var fault: RecordReader.Fault?
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(1, reader.slotCount)) { room in
            let slots = UnsafeMutableBufferPointer(rebasing: room[0..<reader.slotCount])
            room.initialize(repeating: -1)
            do throws(RecordReader.Fault) {
                if single {
                    count = 1
                    _ = try reader.read(view, found, id: nil, slots: slots, into: &builder)
                    return
                }
                let end = view.next(found)
                var row = found + 1
                while row < end {
                    count += 1
                    _ = try reader.read(view, row, id: nil, slots: slots, into: &builder)
                    row = view.next(row)
                }
            } catch {
                fault = error
            }
        }
        if let fault { throw fault }
        return Rows(clients: builder.finish(), count: count)
    }
}
