import ClientContract
import DriverSupport
import Testing

/// A system's own words are handed on without the people that they name.
@Suite struct VendorReasonTests {
    private func clean(_ text: String, _ name: String) -> String? {
        VendorReason.clean([text], hiding: VendorReason.words(of: name)).first
    }

    @Test func wordsLoseWhatTheyQuote() {
        #expect(
            clean(#"The Identifier "529.982.247-26" for party "da Silva, Ana" is not valid."#, "Ana da Silva")
                == #"The Identifier "•••.•••.•••-••" for party "…" is not valid."#)
        #expect(clean("mail ana@example.test, please", "X Y") == "mail … please")
        #expect(clean("CALL +55 11 96000-0001 now", "X Y") == "CALL +•• •• •••••-•••• now")
        #expect(VendorReason.clean(["", "a", "a", "b\nc"], hiding: []) == ["a", "b c"])
        #expect(VendorReason.clean([String(repeating: "x", count: 9_000)], hiding: []).first?.count == 300)
        #expect(VendorReason.clean((0..<20).map { "motivo \($0)" }, hiding: []).count == VendorReason.most)
    }

    @Test(
        arguments: [
            ("Banana for Ana", "Banana for …"), ("ANA TESTE já existe", "… já existe"),
            ("Teste,Ana:duplicada", "…,…:duplicada"),
            ("AnaTeste e ana_teste", "… e …_…"), ("Anamnese de Ana  Teste", "Anamnese de … …"), ("nome=Ana", "nome=…"),
            ("Ana", "…"), ("A", "A"), ("", nil),
        ] as [(String, String?)])
    func namesAreHiddenAsWords(_ text: String, _ told: String?) { #expect(clean(text, "Ana Teste") == told) }

    @Test func everyPartOfANameIsHidden() {
        for text in ["Jo da Luz", "da Luz, Jo", "Luz, Jo da", "Jo", "da Luz", "Luz", "Jo da", "jodaluz"] {
            #expect(clean("<\(text)>", "Jo da Luz") == "<…>", "\(text)")
        }
        #expect(clean("<Jo, Luz>", "Jo  da\tLuz") == "<…, …>")
    }

    @Test func secretsAreHiddenInsideWordsToo() {
        #expect(VendorReason.hide(["chave-1", "a"], in: "xCHAVE-1x, a") == "x…x, a")
        // What overlaps leaves nothing between.
        #expect(VendorReason.hide(["abcd", "cdef"], in: "abcdef abc") == "… abc")
        #expect(VendorReason.hide(["aa"], in: "aaa") == "…")
    }
}
