// Figures for decisions, not tests: run a release build, on a quiet machine, and compare within one run.

let arguments = Array(CommandLine.arguments.dropFirst())
let rest = Array(arguments.dropFirst())
switch arguments.first {
case "translate": try await TranslationBenchmark.run(rest)
case "engine": try await EngineBenchmark.run(rest)
case "stream": try await StreamBenchmark.run(rest)
case "idle": try IdleBenchmark.run(rest)
case "soak": try await SoakBenchmark.run(rest)
case "overload": try await OverloadBenchmark.run(rest)
case "deadline": try await OverloadBenchmark.deadlines(rest)
case "slow-server": try await SlowServer.run(rest)
case "soak-server": try await SoakServer.run(rest)
default:
    print(
        """
        usage: ponte-bench translate [rounds] [--alone]   a page of 100 clients through a compiled profile, beside Codable
               ponte-bench engine [calls] [rounds]        calls in flight on the engine's one thread
               ponte-bench stream [patients]                  a whole list, read fast and slowly: order, memory, time
               ponte-bench idle [connections]                 connections that say nothing: memory, and others served
               ponte-bench soak [--minutes n]             an hour over two hundred hosts: sockets and memory
               ponte-bench overload [seconds]                 goodput at twice saturation, and what a neighbour feels
               ponte-bench deadline [rounds]                  how late 64 callers hear that their time is over
        """)
}
