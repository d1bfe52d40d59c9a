// How many descriptors this process may open, and how many once it has asked for all: getrlimit(2), setrlimit(2).

import Foundation
import LinuxDescriptors

do {
    let before = try DescriptorLimit.current()
    let after = try DescriptorLimit.raise()
    print("soft limit \(before.soft), hard limit \(before.hard); after raising it \(after.soft)")

    // A duplicate is closed when it goes out of scope: nothing to forget, and nothing to do twice.
    let output = OwnedDescriptor(owning: .standardOutput)
    let duplicate = try output.duplicate()
    print("standard output is \(output.descriptor.rawValue), its duplicate \(duplicate.descriptor.rawValue)")
    _ = output.release()
} catch {
    print("descriptor-limit: \(error)")
    exit(1)
}
