import Testing

@testable import Idempotency

@Suite struct VaultTests {
    private let vault = Vault(secret: Array("a secret of the tests".utf8))
    private let other = Vault(secret: Array("another secret".utf8))

    @Test("a mark is of the texts, their places and the secret")
    func marks() {
        let texts: [[String?]] = [
            ["a", "b"], ["b", "a"], ["ab"], ["a", "b", nil], ["a", nil, "b"], [nil, "a", "b"], ["a", "", "b"],
            ["", "ab"],
            ["ab", ""], [], [nil], [""],
        ]
        let marks = texts.map(vault.mark) + texts.map(other.mark)
        #expect(Set(marks).count == marks.count)
        #expect(marks.allSatisfy { $0.bytes.count == 32 })
        #expect(texts.map(vault.mark) == texts.map(Vault(secret: Array("a secret of the tests".utf8)).mark))
        #expect("\(marks[0]) \(vault)" == "mark(…) vault(…)")
    }

    @Test("a seal opens with its secret, beside what it belongs to, and unchanged")
    func seals() throws {
        let sealed = try vault.seal("id-1", beside: [1])
        #expect(vault.open(sealed, beside: [1]) == "id-1")
        #expect(vault.open(sealed, beside: [2]) == nil)
        #expect(other.open(sealed, beside: [1]) == nil)
        #expect(vault.open([], beside: [1]) == nil)
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(vault.open(changed, beside: [1]) == nil)
        }
        // Twice the same does not look the same.
        #expect(try vault.seal("id-1", beside: [1]) != sealed)
    }
}
