import Bridge
import StrictConfig
import UpstreamDriver

extension Configuration {
    /// Where a tenant wants another record of whoever is on record, and its system makes none.
    static func duplicateWarnings(about plan: TenantPlan, file: String) -> [ConfigFault] {
        let capabilities = plan.driver.capabilities
        guard plan.options.onDuplicate == .create, capabilities.operations.contains(.create) else { return [] }
        let instead: String
        switch capabilities.duplicates {
        case .reusesSilently: instead = "answers the record that is there, or writes over it"
        case .refuses: instead = "refuses the create"
        case .creates, .unknown: return []
        }
        return [
            ConfigFault(
                file: file, pointer: "/clients/onDuplicate",
                message:
                    "is \"create\", but \(capabilities.system) makes no other record of somebody whom it knows: it "
                    + instead)
        ]
    }
}
