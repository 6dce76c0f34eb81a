// The entry points of libFuzzer. `scripts/fuzz` links them with the targets of Tests/FuzzTests and with the modules that
// those try, all of them built under the address sanitizer.

import Dispatch
import Glibc

private let target: FuzzTarget = {
    guard let name = getenv("PONTE_FUZZ_TARGET").map({ String(cString: $0) }), let target = FuzzTarget(rawValue: name)
    else { fatalError("PONTE_FUZZ_TARGET names no target") }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let done = DispatchSemaphore(value: 0)
    // Begins at once and on this thread; only calls that wait for a session leave it.
    Task.immediate {
        await target.run(bytes)
        done.signal()
    }
    done.wait()
    return 0
}
