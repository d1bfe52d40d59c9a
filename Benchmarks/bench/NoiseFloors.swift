import Foundation
import Meters
import Records

/// Finds the noise floor that belongs to runs, and says why if there is none.
enum NoiseFloors {
    /// For runs that are made now.
    static func ofThisMachine() -> NoiseFloor? {
        let machine = MachineFacts.read()
        return find(Baseline(machine: machine), machineID: machine.machineID, kernel: machine.kernel)
    }

    /// For the runs of a stored folder.
    static func forRuns(in folder: String, of rows: [RunRecord]) -> NoiseFloor? {
        guard let machineID = rows.first?.machineId else { return nil }
        let kernel = (try? RunDescription.read(folder: folder))?.machine.kernel
        return find(Baseline(machineID: machineID), machineID: machineID, kernel: kernel ?? "unknown")
    }

    private static func find(_ baseline: Baseline, machineID: String, kernel: String) -> NoiseFloor? {
        do {
            guard let floor = try baseline.noiseFloor() else {
                complain("no noise floor is known, so --min-effect alone is the margin; bench calibrate measures it")
                return nil
            }
            guard let refusal = floor.refusal(machineId: machineID, kernel: kernel) else { return floor }
            complain(refusal)
        } catch let failure as Failure {
            complain(failure.message)
        } catch {}
        return nil
    }
}
