import ArgumentParser
import Meters

/// Options that have a meaning for some workloads only. Each is optional and each flag is off by default, so that a group
/// knows what was given.
protocol WorkloadOptions: ParsableArguments {
    static var workloads: [Workload] { get }
    /// The heading in the help, no other group's.
    static var title: String { get }
    /// Why other workloads cannot have them, where that is not plain.
    static var reason: String? { get }
}

extension WorkloadOptions {
    static var reason: String? { nil }
    static var title: String {
        "Workload" + (workloads.count > 1 ? "s " : " ") + workloads.map(\.rawValue).joined(separator: ", ")
    }
}

extension ParsableArguments {
    /// The options that were given, `--like-this`, in the order in which they are declared: those with a value, flags that
    /// are on, and those of the groups.
    var given: [String] {
        Mirror(reflecting: self).children.flatMap { child -> [String] in
            switch child.value {
            case let group as any OptionGrouping: group.options.given
            case let option as any OptionWrapping where option.isGiven: [optionName(child.label ?? "")]
            default: []
            }
        }
    }

    var workloadGroups: [any WorkloadOptions] {
        groups(of: self).compactMap { $0.options as? any WorkloadOptions }
    }

    static var workloadGroups: [any WorkloadOptions.Type] {
        groups(of: Self()).compactMap { type(of: $0).optionsType as? any WorkloadOptions.Type }
    }
}

extension RunOptions {
    /// Refuses what was given of the groups that do not belong to a workload.
    func refuseForeign(to workload: Workload) throws {
        for group in workloadGroups where !type(of: group).workloads.contains(workload) {
            guard let option = group.given.first else { continue }
            let owners = type(of: group).workloads.map(\.rawValue)
            let phrase = (owners.count > 1 ? [owners.dropLast().joined(separator: ", ")] : []) + owners.suffix(1)
            let instead = WakeOptions.counterparts[option].map { "; there it is \($0)" } ?? ""
            throw Failure(
                .usage,
                "\(option) belongs to --workload \(phrase.joined(separator: " and ")); the workload is "
                    + "\(workload.rawValue)\(workload == .wake ? instead : type(of: group).reason.map { ": \($0)" } ?? "")"
            )
        }
    }
}

extension Workload {
    /// The workload that a command line names; nil if it names none, or none that there is.
    init?(in words: [String]) {
        let words = words.flatMap { $0.split(separator: "=") }
        guard let place = words.lastIndex(of: "--workload"), place + 1 < words.count else { return nil }
        self.init(rawValue: String(words[place + 1]))
    }
}

private func groups(of options: any ParsableArguments) -> [any OptionGrouping] {
    Mirror(reflecting: options).children.compactMap { $0.value as? any OptionGrouping }
}

/// `--message-size` of the label `_messageSize` that a property wrapper's storage has.
private func optionName(_ label: String) -> String {
    "--" + label.drop { $0 == "_" }.map { $0.isUppercase ? "-\($0.lowercased())" : String($0) }.joined()
}

private protocol OptionWrapping {
    var isGiven: Bool { get }
}

private protocol OptionGrouping {
    static var optionsType: any ParsableArguments.Type { get }
    var options: any ParsableArguments { get }
}

private protocol Absentable {
    var isAbsent: Bool { get }
}

extension Optional: Absentable {
    fileprivate var isAbsent: Bool { self == nil }
}

extension Array: Absentable {
    fileprivate var isAbsent: Bool { isEmpty }
}

extension Option: OptionWrapping where Value: Absentable {
    fileprivate var isGiven: Bool { !wrappedValue.isAbsent }
}

extension Flag: OptionWrapping where Value == Bool {
    fileprivate var isGiven: Bool { wrappedValue }
}

extension OptionGroup: OptionGrouping {
    fileprivate static var optionsType: any ParsableArguments.Type { Value.self }
    fileprivate var options: any ParsableArguments { wrappedValue }
}
