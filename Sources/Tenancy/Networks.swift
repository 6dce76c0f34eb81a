import StrictConfig
import Transport

/// Networks as configuration files write them.
enum Networks {
    static func read(_ element: ConfigNode) -> AddressRange? {
        guard let text = element.string("an address or a network such as \"203.0.113.0/24\"") else { return nil }
        let range = AddressRange(text)
        if range == nil {
            element.fault("must be an address, or a network such as 203.0.113.0/24 without bits behind its length")
        }
        return range
    }
}
