/// Invents patients. A patient depends on the seed and on its row only, so none need be kept.
struct PersonGenerator: Sendable {
    let seed: UInt64
    /// The patients of the first rows.
    let people: [Person]

    init(seed: UInt64, people: [Person] = FixedPeople.all) {
        self.seed = seed
        self.people = people
    }

    /// The patients that a mock begins with; `MockOptions.rows` says how many.
    init(_ options: MockOptions) {
        self.init(seed: options.seed, people: options.people?.map(Person.init) ?? FixedPeople.all)
    }

    /// The patient of a row.
    func person(_ row: Int) -> Person {
        if row < people.count { return people[row] }
        var dice = Dice(seed, UInt64(row))
        // Rows stand in groups of four; one group in twelve is a family on one phone.
        let group = row / 4
        var shared = Dice(seed ^ 0xFA111A, UInt64(group))
        let isFamily = group > FixedPeople.all.count / 4 && shared.roll(12) == 0
        let surname = Self.surnames[isFamily ? shared.roll(Self.surnames.count) : dice.roll(Self.surnames.count)]
        let first = Self.firstNames[dice.roll(Self.firstNames.count)]
        let middle = Self.middleNames[dice.roll(Self.middleNames.count)]
        var person = Person(name: "\(first) \(middle) \(surname) \(Text.padded(row + 1, to: 4))")
        person.phones = isFamily ? [number(.mobile, row: group * 4, &shared)] : phones(row, &dice)
        if dice.roll(10) != 0 { person.cpf = CPF.withCheckDigits(scattered(row, 618_033_989, 1_000_000_000)) }
        if dice.roll(4) != 0 {
            let host = dice.roll(5) == 0 ? "example.com" : "example.test"
            let local = Text.folded("\(first).\(surname)").replacing(" ", with: ".").replacing("'", with: "")
            person.email = "\(local).\(row + 1)@\(host)"
        }
        let year = 1930 + dice.roll(94)
        let month = 1 + dice.roll(12)
        let birthday = CivilDate(year: year, month: month, day: 1 + dice.roll(28))
        if dice.roll(12) != 0 { person.birthday = birthday }
        if dice.roll(8) == 0 { person.notes = Self.notes[dice.roll(Self.notes.count)] }
        if dice.roll(9) == 0 { person.photo = "https://fotos.example.test/\(row + 1).jpg" }
        return person
    }

    private func phones(_ row: Int, _ dice: inout Dice) -> [Phone] {
        if row % 500 == 499 { return [Phone(kind: .foreign, digits: "351912\(Text.padded(row % 1_000_000, to: 6))")] }
        switch dice.roll(50) {
        case 0: return []
        case 1...3: return [number(.landline, row: row, &dice)]
        case 4...36: return [number(.mobile, row: row, &dice)]
        case 37...42: return [number(.mobile, row: row, &dice), number(.landline, row: row, &dice)]
        case 43...46: return [number(.mobile, row: row, &dice), number(.mobile, row: row + 20_000_000, &dice)]
        default:
            return [
                number(.mobile, row: row, &dice), number(.mobile, row: row + 20_000_000, &dice),
                number(.landline, row: row, &dice),
            ]
        }
    }

    /// A number that no other row has, but for the few mobiles of eight digits.
    private func number(_ kind: Phone.Kind, row: Int, _ dice: inout Dice) -> Phone {
        let ddd = Self.areas[dice.roll(Self.areas.count)]
        let digits = scattered(row, 16_180_339, 40_000_000)
        let tail = Text.padded(digits % 10_000_000, to: 7)
        guard kind == .mobile else { return Phone(kind: kind, digits: "\(ddd)\(2 + digits / 10_000_000)\(tail)") }
        let isOld = dice.roll(40) == 0
        return Phone(kind: kind, digits: "\(ddd)\(isOld ? "" : "9")\(6 + digits / 10_000_000)\(tail)")
    }

    /// Takes rows to different numbers below `modulus`, which has only the prime factors 2 and 5; `factor` has neither.
    private func scattered(_ row: Int, _ factor: Int, _ modulus: Int) -> Int {
        (row % modulus * factor + Int(seed % 1_000_003) * 7_919) % modulus
    }

    private static let firstNames = [
        "Ana", "Bruno", "João", "Conceição", "Débora", "Érico", "Fátima", "Gustavo", "Helena", "Inês", "Júlia", "Kauã",
        "Luís", "Márcia", "Nádia", "Otávio", "Patrícia", "Quitéria", "Raíssa", "Sebastião", "Tânia", "Úrsula", "Vítor",
        "Zélia",
    ]
    private static let middleNames = ["Teste", "Exemplo", "Amostra", "Fictício"]
    private static let surnames = [
        "Alfa", "Beta", "Gama", "Delta", "Ômega", "da Silva", "dos Santos", "de Oliveira e Souza", "D'Ávila",
        "Sant'Anna", "Conceição", "e Castro", "do Amaral", "das Neves", "Guimarães", "Müller",
    ]
    private static let notes = [
        "Prefere atendimento pela manhã", "Cliente regular", "Alérgica a \"dipirona\"",
        "Primeira consulta\nTrazer exames",
    ]
    private static let areas = [
        "11", "11", "11", "19", "21", "27", "31", "41", "47", "51", "61", "71", "81", "85", "92",
    ]
}

/// A small reproducible source of numbers (SplitMix64).
struct Dice: Sendable {
    private var state: UInt64

    init(_ seed: UInt64, _ row: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 ^ row &* 0xD1B5_4A32_D192_ED03
        _ = next()
    }

    /// A number from 0 to `sides` - 1.
    mutating func roll(_ sides: Int) -> Int { Int(next() % UInt64(sides)) }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
