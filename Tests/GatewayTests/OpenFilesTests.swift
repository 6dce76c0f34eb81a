import Testing

@testable import Gateway

@Suite struct OpenFilesTests {
    /// Whatever is configured, all shares together leave files for the runtime.
    @Test func theSharesAreNoMoreThanThereIs() {
        for limit in [256, 257, 300, 512, 1024, 1500, 4096, 20_000, 1 << 20] {
            let files = OpenFiles(limit: limit)
            for calls in [1, 16, 256, 10_000].map(files.calls) {
                let operators = files.operators.most + files.operators.told
                let ours = OpenFiles.files(forCalls: calls) + operators
                for wanted in [1, 100, 4096, 100_000] {
                    let (most, told) = files.connections(wanted, others: ours + OpenFiles.rest)
                    #expect(most >= 1 && most <= wanted && told >= 1)
                    // Each listener accepts four at a time.
                    #expect(ours + most + told + 8 <= limit - 40, "\(limit), \(calls), \(wanted)")
                }
            }
        }
    }

    @Test func whatIsWantedIsGivenWhereThereIsEnough() {
        let files = OpenFiles(limit: 20_000)
        #expect(files.calls(256) == 256)
        #expect(files.connections(4096, others: 400) == (4096, 64))
        #expect(files.operators == (64, 8))
        #expect(OpenFiles(limit: 256).calls(256) == 64)
    }
}
