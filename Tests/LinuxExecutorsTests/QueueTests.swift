import Testing

@testable import LinuxExecutors

/// What the executors keep jobs, operations and sleeps in.
@Suite struct QueueTests {
    @Test func aQueueKeepsTheOrderAcrossItsBorderAndAsItGrows() {
        var queue = GrowingQueue<Int>(capacity: 4)
        var (next, first) = (0, 0)
        for round in 1...200 {
            for _ in 0..<round {
                queue.append(next)
                next += 1
            }
            for _ in 0..<(round - 1) {
                #expect(queue.popFirst() == first)
                first += 1
            }
        }
        #expect(queue.count == next - first)
        while let value = queue.popFirst() {
            #expect(value == first)
            first += 1
        }
        #expect(first == next)
        let isEmpty = queue.isEmpty
        #expect(isEmpty)
    }

    @Test func aNameOfAnOperationThatHasEndedNamesNothing() {
        var table = OperationTable()
        let first = table.begin(.request)
        #expect(table.find(first) != nil)
        #expect(table.end(first) == nil)
        #expect(table.find(first) == nil)
        let second = table.begin(.timer)
        #expect(OperationTable.index(second) == OperationTable.index(first))
        #expect(second != first)
        #expect(table.find(first) == nil)
        #expect(table.names == [second])
    }

    /// Indices are given once, and the first, whose names are the executor's own, never.
    @Test func aTableGrowsAndGivesEachIndexOnce() {
        var table = OperationTable()
        let names = (0..<1000).map { _ in table.begin(.request) }
        #expect(Set(names.map(OperationTable.index)).count == 1000)
        #expect(!names.map(OperationTable.index).contains(0))
        #expect(table.count == 1000)
        #expect(Set(table.names) == Set(names))
        for name in names { _ = table.end(name) }
        #expect(table.count == 0)
        #expect(table.names.isEmpty)
    }

    @Test func sleepsEndInTheOrderOfTheirDeadlines() {
        var table = OperationTable()
        var heap = TimerHeap()
        var random = SystemRandomNumberGenerator()
        var left: [(deadline: UInt64, name: UInt64)] = []
        for _ in 0..<500 {
            let deadline = UInt64.random(in: 1..<1000, using: &random)
            let name = table.begin(.timer)
            heap.insert(OperationTable.index(name), until: deadline, table)
            left.append((deadline, name))
        }
        left.shuffle()
        for _ in 0..<200 {
            let (_, name) = left.removeLast()
            heap.remove(OperationTable.index(name), table)
            _ = table.end(name)
        }
        #expect(heap.popEnded(at: 0, table) == nil)
        var ended: [UInt64] = []
        let deadlines = Dictionary(
            uniqueKeysWithValues: left.map { (OperationTable.index($0.name), $0.deadline) })
        #expect(heap.firstDeadline == left.map(\.deadline).min())
        while let operation = heap.popEnded(at: 1000, table) {
            ended.append(deadlines[operation] ?? .max)
            _ = table.end(table.name(operation))
        }
        #expect(ended == left.map(\.deadline).sorted())
        #expect(heap.firstDeadline == nil)
    }

    @Test func aSleepThatHasNotEndedStays() {
        var table = OperationTable()
        var heap = TimerHeap()
        let name = table.begin(.timer)
        heap.insert(OperationTable.index(name), until: 10, table)
        #expect(heap.popEnded(at: 9, table) == nil)
        #expect(heap.popEnded(at: 10, table) == OperationTable.index(name))
        #expect(heap.popEnded(at: 10, table) == nil)
    }
}
