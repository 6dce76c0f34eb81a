import ClientContract
import DriverSupport
import JSONBytes

/// What a patch changes in a resource: in the very entries that reading chooses, so that a change is read back. All else
/// stays, members that Ponte does not know included.
struct PatientChanges {
    private enum Change {
        /// A member of an object: set, whether it was there or not.
        case set(JSONPointer, [UInt8])
        /// A new last element of an array of the resource.
        case append(String, [UInt8])
        case remove(JSONPointer)
    }

    private let resource: JSONValue
    private var changes: [Change] = []

    init(_ patch: ClientPatch, to resource: JSONValue, _ reader: PatientReader, _ writer: PatientWriter)
        throws(PatientReader.Fault)
    {
        self.resource = resource
        struct Chosen {
            var name: Int?
            var email: Int?
            var identifier: Int?
        }
        let found: Result<Chosen, PatientReader.Fault> = resource.document.withView { view in
            do throws(PatientReader.Fault) {
                let places = try reader.places(view, resource.index)
                let email = reader.contactPoints(view, places.telecom).first {
                    $0.kind == .email && FHIRText.isEmail(view, $0.value)
                }
                return .success(
                    Chosen(
                        name: reader.chosenName(view, places.name)?.position, email: email?.position,
                        identifier: reader.identifier(view, places.identifier)?.position))
            } catch {
                return .failure(error)
            }
        }
        let chosen = try found.get()
        if let name = patch.name { rename(name, chosen.name, writer) }
        if let email = patch.email {
            if let position = chosen.email {
                set(in: "telecom", position, "value", PatientWriter.string(email))
            } else {
                changes.append(.append("telecom", writer.contact("email", email)))
            }
        }
        if let cpf = patch.cpf {
            if let position = chosen.identifier {
                let text = writer.plan.cpf.spelling.write(cpf)
                set(in: "identifier", position, "value", PatientWriter.string(text))
            } else {
                changes.append(.append("identifier", writer.identifier(cpf)))
            }
        }
        if let birthday = patch.birthday {
            changes.append(.set(JSONPointer.root.appending("birthDate"), PatientWriter.string(birthday.iso)))
            remove(JSONPointer.root.appending("_birthDate"))
        }
        // A narrative that was generated from the data would now say otherwise (FHIR R4, Narrative.status).
        if resource["text"]?["status"]?.string == "generated" { remove(JSONPointer.root.appending("text")) }
    }

    private mutating func rename(_ name: String, _ position: Int?, _ writer: PatientWriter) {
        guard let position else {
            changes.append(.append("name", writer.name(name)))
            return
        }
        let entry = resource["name"]?.elements.dropFirst(position).first ?? resource["name"]
        let hasText = entry?["text"] != nil
        let hasParts = entry?["given"] != nil || entry?["family"] != nil
        let setsText = writer.plan.nameForm != .parts || hasText
        if setsText { set(in: "name", position, "text", PatientWriter.string(name)) }
        if writer.plan.nameForm != .text || hasParts {
            let onRecord = Self.parts(of: entry)
            // Parts that say the name already are right, however they are cut.
            if setsText, hasParts, "\(onRecord.given) \(onRecord.family)" == name { return }
            let (given, family) = PatientWriter.parts(of: name, given: onRecord.given, family: onRecord.family)
            set(in: "name", position, "given", PatientWriter.array(given))
            if let family {
                set(in: "name", position, "family", PatientWriter.string(family))
            } else {
                for member in ["family", "_family"] { remove(pointer(to: "name", position, member)) }
            }
        }
    }

    /// Given names and family name as they stand on record, each as one text; blank for nothing.
    private static func parts(of entry: JSONValue?) -> (given: String, family: String) {
        let given = entry?["given"]
        let words = given?.kind == .array ? given?.elements.compactMap(\.string) : given?.string.map { [$0] }
        return ((words ?? []).joined(separator: " "), entry?["family"]?.string ?? "")
    }

    private func pointer(to array: String, _ position: Int, _ member: String) -> JSONPointer {
        let base = JSONPointer.root.appending(array)
        // A server that forgot the brackets has one entry.
        return (resource[array]?.kind == .array ? base.appending(position) : base).appending(member)
    }

    /// Sets a member, and removes what its sibling said of the value before (FHIR R4, section 2.6.2.3).
    private mutating func set(in array: String, _ position: Int, _ member: String, _ json: [UInt8]) {
        changes.append(.set(pointer(to: array, position, member), json))
        remove(pointer(to: array, position, "_" + member))
    }

    private mutating func remove(_ pointer: JSONPointer) {
        if resource[pointer] != nil { changes.append(.remove(pointer)) }
    }

    // MARK: Two ways to say it

    /// The whole resource with the changes made.
    var merged: [UInt8] {
        var edits = JSONEdits()
        var ends: [String: Int] = [:]
        for change in changes {
            switch change {
            case .set(let pointer, let json): edits.set(pointer, json)
            case .remove(let pointer): edits.remove(pointer)
            case .append(let array, let json):
                let end = ends[array] ?? resource[array]?.elements.count ?? 0
                ends[array] = end + 1
                edits.set(JSONPointer.root.appending(array).appending(end), json)
            }
        }
        return edits.apply(to: resource)
    }

    /// A JSON Patch (RFC 6902). What is replaced is tested first, since entries of an array are known by their places only.
    var patch: [UInt8] {
        var operations: [[UInt8]] = []
        func operation(_ name: String, _ path: String, _ json: [UInt8]?) {
            var writer = JSONWriter(capacity: 128)
            writer.raw(#"{"op":"#)
            writer.string(name)
            writer.raw(#","path":"#)
            writer.string(path)
            if let json {
                writer.raw(#","value":"#)
                writer.raw(json)
            }
            writer.raw("}")
            operations.append(writer.finish())
        }
        var made: Set<String> = []
        for change in changes {
            switch change {
            case .set(let pointer, let json):
                if let old = resource[pointer] {
                    operation("test", pointer.description, old.source)
                    operation("replace", pointer.description, json)
                } else {
                    operation("add", pointer.description, json)
                }
            case .remove(let pointer): operation("remove", pointer.description, nil)
            case .append(let array, let json):
                if resource[array]?.kind == .array || made.contains(array) {
                    operation("add", "/\(array)/-", json)
                } else {
                    made.insert(array)
                    operation("add", "/" + array, [UInt8(ascii: "[")] + json + [UInt8(ascii: "]")])
                }
            }
        }
        let comma = [UInt8(ascii: ",")]
        return [UInt8(ascii: "[")] + Array(operations.joined(separator: comma)) + [UInt8(ascii: "]")]
    }
}
