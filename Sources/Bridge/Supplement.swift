import ClientContract

extension Client {
    /// This full record with what only its row shows: members that it lacks, and numbers that it does not list. Some
    /// systems show a number whole in a list and without its area code in the record.
    func supplemented(by row: Client) -> Client {
        let missing = row.allPhones.filter { !reaches($0) }
        let lacks = [ClientField.description, .cpf, .image, .email, .birthday].contains { !has($0) && row.has($0) }
        guard !missing.isEmpty || lacks else { return self }
        return Client(
            id: id, name: name.isEmpty ? row.name : name, description: text(.description) ?? row.text(.description),
            phones: allPhones + missing, cpf: cpf ?? row.cpf, image: text(.image) ?? row.text(.image),
            email: email ?? row.email, birthday: birthday ?? row.birthday)
    }
}
