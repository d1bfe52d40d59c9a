import Meters
import Records

/// Finds the noise floor that belongs to runs, and is still valid.
enum NoiseFloors {
    static func ofThisMachine() -> NoiseFloor? {
        let machine = MachineFacts.read()
        return find(machineID: machine.machineID, kernel: machine.kernel)
    }

    static func forRuns(in folder: StoredFolder) -> NoiseFloor? {
        guard let machineID = folder.rows.first?.machineId else { return nil }
        let kernel = ((try? folder.description()) ?? nil)?.machine.kernel
        return find(machineID: machineID, kernel: kernel ?? "unknown")
    }

    /// - Parameter complains: whether the lack of one is said.
    static func find(machineID: String, kernel: String, complains: Bool = true) -> NoiseFloor? {
        var complaint = "no noise floor is known, so --min-effect alone is the margin; bench calibrate measures it"
        do {
            if let floor = try Baseline(machineID: machineID).noiseFloor() {
                guard let refusal = floor.refusal(machineId: machineID, kernel: kernel) else { return floor }
                complaint = refusal
            }
        } catch {
            complaint = (error as? Failure)?.message ?? "\(error)"
        }
        if complains { complain(complaint) }
        return nil
    }
}
