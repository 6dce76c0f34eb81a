import ClientContract

/// The people of the checks. All are fictional; each stands for something that goes wrong in practice.
enum Role: String, CaseIterable, Sendable {
    /// Every member that the contract has.
    case complete
    /// A family on one phone: two with a CPF, two without.
    case mother, father, daughter, son
    /// All the same but name and CPF.
    case twinA, twinB
    /// A mobile on record without its ninth digit.
    case oldMobile
    /// Two mobiles and a landline; an e-mail with capitals.
    case threePhones
    /// A name with an apostrophe, and a phone: nothing else.
    case onlyPhone
    /// Two people of one name.
    case namesakeA, namesakeB
    /// The phone of one is the CPF of the other.
    case phoneIsCPF, cpfIsPhone
    /// Registered without a name: the phone stands in its place.
    case nameless
    case noPhone
    case landlineOnly
    /// A CPF that begins with zeros.
    case zeros
    /// Characters that filters and addresses give a meaning to.
    case signs
    /// The e-mail, the name and the last eight digits of the phone hold those of `complete`.
    case almostComplete
    /// Born on a leap day.
    case leapDay
    /// A number of another country; only where the system can keep one.
    case foreign

    /// Those whom a system with these gaps can have on record.
    static func cast(without gaps: [Gap: String]) -> [Role] {
        allCases.filter { role in
            let person = role.person
            if person.cpf == nil, gaps[.peopleWithoutCPF] != nil { return false }
            if role == .twinB, gaps[.sharedEmails] != nil { return false }
            guard let phone = person.phones.first else { return gaps[.peopleWithoutPhone] == nil }
            return phone.gap.map { gaps[$0] == nil } ?? true
        }
    }

    var person: Person {
        switch self {
        case .complete:
            Person(
                name: "Ana Exemplo", phones: [.br("31", "988880001")], cpf: .of(30_000_000_116),
                email: "ana@example.test", birthday: .on(1990, 3, 7), notes: "Prefere a manhã",
                image: "https://fotos.example.test/1.jpg")
        case .mother:
            Person(
                name: "Maria Exemplo da Família", phones: [.family], cpf: .of(30_000_000_205),
                birthday: .on(1984, 5, 20))
        case .father: Person(name: "José Exemplo da Família", phones: [.family], cpf: .of(30_000_000_388))
        case .daughter: Person(name: "Lia Exemplo da Família", phones: [.family], birthday: .on(2015, 9, 3))
        case .son: Person(name: "Téo Exemplo da Família", phones: [.family])
        case .twinA:
            Person(
                name: "Cosme Exemplo Gêmeo", phones: [.br("71", "988880006")], cpf: .of(30_000_000_469),
                email: "gemeos@example.test", birthday: .on(2001, 4, 2))
        case .twinB:
            Person(
                name: "Damião Exemplo Gêmeo", phones: [.br("71", "988880006")], cpf: .of(30_000_000_540),
                email: "gemeos@example.test", birthday: .on(2001, 4, 2))
        case .oldMobile: Person(name: "Olga Exemplo Antiga", phones: [.br("31", "88880002")], cpf: .of(30_000_000_620))
        case .threePhones:
            Person(
                name: "Bruno Exemplo", phones: [.br("11", "988880009"), .br("85", "988880009"), .br("11", "33330009")],
                cpf: .of(30_000_000_701), email: "Bruno.Exemplo@example.test", birthday: .on(1975, 10, 15))
        case .onlyPhone: Person(name: "Joaquim d'Ávila Exemplo", phones: [.br("41", "988880010")])
        case .namesakeA:
            Person(name: "Conceição Exemplo", phones: [.br("51", "988880013")], cpf: .of(30_000_000_892))
        case .namesakeB: Person(name: "Conceição Exemplo", phones: [.br("51", "988880014")], cpf: .of(30_000_000_973))
        case .phoneIsCPF: Person(name: "Davi Exemplo Onze", phones: [.br("11", "987654374")])
        case .cpfIsPhone:
            Person(name: "Eva Exemplo Onze", phones: [.br("61", "988880016")], cpf: .of(11_987_654_374))
        case .nameless: Person(name: "5511977776666", phones: [.br("11", "977776666")])
        case .noPhone:
            Person(
                name: "Célia Exemplo Sem Telefone", cpf: .of(30_000_001_007), email: "celia@example.test",
                birthday: .on(1947, 1, 30))
        case .landlineOnly: Person(name: "Ivo Exemplo Fixo", phones: [.br("51", "33330014")], cpf: .of(30_000_001_198))
        case .zeros: Person(name: "Zeno Exemplo", phones: [.br("21", "988880019")], cpf: .of(123_456_797))
        case .signs:
            Person(
                name: #"Zoë %_* "Aspas" & <b>\ Exemplo"#, phones: [.br("21", "988880020")], cpf: .of(30_000_001_279),
                email: "zoe+teste@example.test")
        case .almostComplete:
            Person(
                name: "Joana Exemplo", phones: [.br("11", "988880001")], cpf: .of(30_000_001_350),
                email: "joana@example.test")
        case .leapDay:
            Person(name: "Rui Exemplo Bissexto", phones: [.br("27", "988880021")], birthday: .on(2000, 2, 29))
        case .foreign:
            Person(name: "Inês Exemplo Lisboa", phones: [.of(351_912_345_678)], email: "ines@example.test")
        }
    }

    /// So many more people, each with a phone and a CPF of their own.
    static func crowd(_ count: Int) -> [Person] {
        (0..<max(0, count)).map { place in
            let digits = String(place)
            let number = String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
            return Person(
                name: "Multidão Exemplo \(number)", phones: [.br("19", "96666\(number)")],
                cpf: .of(40_000_000_000 + UInt64(place)))
        }
    }
}

extension Person {
    /// The person as a system with these gaps can keep them.
    func without(_ gaps: [Gap: String]) -> Person {
        var person = self
        person.phones = phones.filter { $0.gap.map { gaps[$0] == nil } ?? true }
        if gaps[.severalPhones] != nil { person.phones = Array(person.phones.prefix(1)) }
        if gaps[.member(.cpf)] != nil { person.cpf = nil }
        if gaps[.member(.email)] != nil { person.email = nil }
        if gaps[.member(.birthday)] != nil { person.birthday = nil }
        if gaps[.member(.description)] != nil { person.notes = nil }
        if gaps[.member(.image)] != nil { person.image = nil }
        return person
    }
}

// The texts stand in this file, so they are sound.
extension PhoneNumber {
    static let family = br("31", "988887777")
    /// What a system must have room for to keep this number.
    var gap: Gap? {
        if !isBrazilian { return .foreignPhones }
        return kind == .landline ? .landlines : nil
    }

    static let absent = br("31", "977770000")

    static func br(_ area: String, _ subscriber: String) -> PhoneNumber { of(UInt64("55" + area + subscriber) ?? 0) }

    static func of(_ digits: UInt64) -> PhoneNumber {
        guard let number = PhoneNumber("+\(digits)") else { preconditionFailure("a number of the cast is none") }
        return number
    }
}

extension CPF {
    static let absent = of(30_000_001_430)

    static func of(_ number: UInt64) -> CPF {
        let digits = String(number)
        guard let cpf = CPF(String(repeating: "0", count: max(0, 11 - digits.utf8.count)) + digits) else {
            preconditionFailure("a CPF of the cast is none")
        }
        return cpf
    }
}

extension CPF {
    /// Nine digits, the first of which is none, and their check digits (Receita Federal, modulo 11).
    static func checked(_ base: UInt64) -> CPF {
        var number = base
        for length in 9...10 {
            var (rest, weight, sum) = (number, UInt64(2), UInt64(0))
            for _ in 0..<length {
                sum += rest % 10 * weight
                (rest, weight) = (rest / 10, weight + 1)
            }
            number = number * 10 + sum * 10 % 11 % 10
        }
        return of(number)
    }
}

extension Birthday {
    static func on(_ year: Int, _ month: Int, _ day: Int) -> Birthday {
        guard let birthday = Birthday(year: year, month: month, day: day) else {
            preconditionFailure("a day of the cast is none")
        }
        return birthday
    }
}
