import Meters
import Runs

extension RunSession {
    /// The hosts that load; nil where this program does.
    var loadHosts: LoadHosts? { plans.first?.loadHosts }

    /// Waits until they have joined.
    func gatherHosts() throws {
        guard let hosts = loadHosts else { return }
        complain("waiting for \(hosts.count) load hosts on \(hosts.address)")
        do throws(RunError) {
            guard try hosts.gather(seconds: (try? options.joinSeconds()) ?? 60, unless: [interruption.descriptor])
            else { throw RunError(failed: "interrupted while load hosts were waited for") }
        } catch {
            throw Failure(interruption.isRequested ? .interrupted : .runFailed, error.description)
        }
    }
}
