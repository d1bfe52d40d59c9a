import ArgumentParser
import Meters
import Reports
import Loops
import Runs

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says what on this machine spoils measurements, what it does to the numbers, and what mends it.",
        discussion: "Every run stores the same facts in run.json.")

    func run() throws {
        var state = MachineState.read(watchingFor: 0.5)
        state.ringRefusal = RingSupport.probe().refusal
        state.loopbackRefusal = loopbackRefusal() ?? ""
        state.tryCallCounter()
        let placement = Placement.automatic(workers: 1, clients: 1)
        (state.pinning, state.workerProcessors) = (placement.description, Set(placement.workers))
        state.links = NetworkLink.all()
        let facts = Diagnosis.all(state, build: Build.name)
        let width = facts.map(\.fact.count).max() ?? 0
        for fact in facts {
            let name = pad(fact.fact, to: width, .left)
            say(fact.value, after: "\(fact.isHarmful ? "!" : " ") \(name)  ")
            if fact.isHarmful {
                say(fact.effect, indent: width + 4)
                say("→ \(fact.remedy)", indent: width + 4)
            }
        }
        let harmful = facts.count(where: \.isHarmful)
        print()
        say(harmful == 0 ? "Nothing to mend." : "\(harmful) of \(facts.count) to mend, marked with !.")
    }
}
