import ClientContract
import Testing

@testable import Metering

@Suite struct MeterTests {
    @Test func eachRequestIsInOneBucketAndOneSeries() {
        let meter = TenantMeter()
        let times: [Duration] = [
            .zero, .milliseconds(5), .nanoseconds(5_000_001), .milliseconds(999), .seconds(60), .seconds(61),
            .seconds(1 << 40),
        ]
        for time in times { meter.requestEnded(.get, .ok, after: time) }
        meter.requestEnded(.get, .error(.noSuchClient), after: .seconds(-1))
        meter.requestEnded(.list, .callerGone, after: .seconds(1), broke: true)
        let reading = meter.reading()
        #expect(reading.requests[.get, .ok] == 7)
        #expect(reading.requests[.get, .error(.noSuchClient)] == 1)
        #expect(reading.requests.entries.map(\.count) == [1, 7, 1])
        #expect(reading.brokenLists == 1)
        let histogram = reading.requestTimes[CountedRoute.get.index]
        #expect(histogram.count == 8)
        #expect(histogram.buckets == [3, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2])
    }

    @Test func callsAreCountedByOperationAndOutcome() {
        let meter = TenantMeter()
        meter.callEnded(.search, .ok, after: .milliseconds(3))
        meter.callEnded(.search, .error(.upstreamUnreachable), after: .seconds(2))
        let reading = meter.reading()
        #expect(reading.calls[.search, .ok] == 1)
        #expect(reading.calls[.search, .error(.upstreamUnreachable)] == 1)
        #expect(reading.callTimes[SystemOperation.search.index].seconds == 2.003)
        #expect(reading.requests.entries.isEmpty)
    }

    /// Every value of a label has a place of its own, and a text that needs no escaping.
    @Test func labelsAreOneToOne() {
        func check<Value: ClosedLabel & Equatable>(_: Value.Type) {
            #expect(Value.all.map(\.index) == Array(0..<Value.all.count))
            #expect(Set(Value.all.map(\.value)).count == Value.all.count)
            for value in Value.all {
                #expect(value.value.utf8.allSatisfy { 0x20...0x7E ~= $0 && !#""\"#.utf8.contains($0) }, "\(value)")
            }
        }
        check(CountedRoute.self)
        check(SystemOperation.self)
        check(Outcome.self)
        check(BreakerLabel.self)
        check(ConditionLabel.self)
        check(ReloadLabel.self)
        #expect(Outcome.all.count == ContractError.Code.allCases.count + 4)
    }

    @Test func requestsAreForgottenAfterSomeMinutes() {
        let meter = TenantMeter()
        let start = ContinuousClock.now
        meter.requestEnded(.get, .error(.upstreamFailed), after: .zero, now: start)
        meter.requestEnded(.get, .ok, after: .zero, now: start + .seconds(200))
        func recent(_ seconds: Int) -> [Int] {
            let counts = meter.reading(now: start + .seconds(seconds)).recent
            return [counts.requests, counts.failures]
        }
        #expect(recent(200) == [2, 1])
        #expect(recent(269) == [2, 1])
        #expect(recent(330) == [1, 0])
        #expect(recent(600) == [0, 0])
        #expect(meter.reading().lastFailure?.code == .upstreamFailed)
    }

    @Test func anOpenBreakerHidesNoReason() {
        let meter = TenantMeter()
        meter.requestEnded(.get, .error(.circuitOpen), after: .zero)
        #expect(meter.reading().lastFailure?.code == .circuitOpen)
        meter.requestEnded(.get, .error(.upstreamTLS), after: .zero)
        meter.requestEnded(.get, .error(.circuitOpen), after: .zero)
        meter.requestEnded(.get, .error(.noSuchClient), after: .zero)
        #expect(meter.reading().lastFailure?.code == .upstreamTLS)
    }

    @Test(arguments: [
        (ContractError.Code.upstreamFailed, true), (.deadline, true), (.circuitOpen, true), (.rateLimited, true),
        (.storageFailed, true), (.unsupported, false), (.noSuchClient, false), (.unknownKey, false),
        (.tooManyRequests, false), (.refused, false), (.shuttingDown, false),
    ])
    func whatCountsAsAFailure(_ code: ContractError.Code, _ isFailure: Bool) {
        #expect(Outcome.error(code).isFailure == isFailure)
        #expect(!Outcome.ok.isFailure && !Outcome.callerGone.isFailure)
    }

    @Test func otherTextsThanNamesAreNoLabels() {
        #expect(ConfiguredName("clinica-aurora").text == "clinica-aurora")
        for text in ["", "a b", "ana\"} 1", "é", "a\n", String(repeating: "a", count: 64)] {
            #expect(ConfiguredName(text).text == "invalid")
        }
    }

    @Test func aHistogramIsWrittenCumulatively() {
        let meter = TenantMeter()
        for time in [Duration.milliseconds(1), .milliseconds(7), .seconds(100)] {
            meter.requestEnded(.ready, .ok, after: time)
        }
        var page = Exposition()
        page.family("times", .histogram, "Times.")
        page.histogram([.noTenant], meter.reading().requestTimes[CountedRoute.ready.index])
        let lines = page.text.split(separator: "\n").map(String.init)
        #expect(
            lines.prefix(3) == [
                "# HELP times Times.", "# TYPE times histogram", #"times_bucket{tenant="none",le="0.005"} 1"#,
            ])
        #expect(lines[3] == #"times_bucket{tenant="none",le="0.01"} 2"#)
        #expect(
            lines.suffix(3) == [
                #"times_bucket{tenant="none",le="+Inf"} 3"#, #"times_sum{tenant="none"} 100.008"#,
                #"times_count{tenant="none"} 3"#,
            ])
    }
}
