import Foundation

/// True if a command succeeds here; said on standard output if not.
public func succeeds(_ command: [String], need: String) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let worked = (try? process.run()) != nil
    if worked { process.waitUntilExit() }
    if worked && process.terminationStatus == 0 { return true }
    print("skipped: \(need)")
    return false
}
