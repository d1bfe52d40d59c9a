import Foundation
import LinuxDescriptors
import LinuxExecutors
import LinuxRings
import LinuxSockets
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// The executors, for tests that ask the same of both.
enum Kind: String, CaseIterable, Sendable {
    case ring
    case set

    /// Those that can be made here.
    static let available: [Kind] = {
        if ringsAvailable { return allCases }
        print("tests of both executors run on a SetExecutor only: \(whyNoRings)")
        return [.set]
    }()

    func make() throws -> any EventExecutor {
        switch self {
        case .ring: try RingExecutor()
        case .set: try SetExecutor()
        }
    }

    /// Makes one, and ends it when the body has ended.
    func with<Value>(_ body: (any EventExecutor) throws -> Value) throws -> Value {
        let executor = try make()
        defer { #expect(executor.shutdownAndWait(within: patience), "the executor's thread has not ended") }
        return try body(executor)
    }
}

/// Whether rings can be made here.
let ringsAvailable = (try? RingCapabilities.probe()) != nil
/// Why tests of rings are skipped.
let whyNoRings: Comment = "io_uring is absent or forbidden"

/// The limit of waits that end a broken test.
let patience = Duration.milliseconds(Int64(patienceMilliseconds))

/// Runs a task on an executor and waits for it.
func onExecutor<Value: Sendable>(
    _ executor: any EventExecutor, _ body: @escaping @Sendable () async throws -> Value
) throws -> Value {
    try start(on: executor, body).wait()
}

/// Starts a task on an executor.
func start<Value: Sendable>(
    on executor: any EventExecutor, _ body: @escaping @Sendable () async throws -> Value
) -> Started<Value> {
    Started(executor, body)
}

/// A task whose end a thread can wait for.
final class Started<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)
    private let ended = DispatchSemaphore(value: 0)
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ executor: any EventExecutor, _ body: @escaping @Sendable () async throws -> Value) {
        let started = Task(executorPreference: executor) { [self] in
            let result: Result<Value, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            outcome.withLock { $0 = result }
            ended.signal()
        }
        task.withLock { $0 = started }
    }

    func cancel() { task.withLock { $0 }?.cancel() }

    /// What the task returned or threw, once.
    func wait() throws -> Value {
        guard ended.wait(timeout: .now() + .milliseconds(Int(patienceMilliseconds))) == .success else {
            throw PatienceIsOver()
        }
        return try #require(outcome.withLock { $0 }).get()
    }

    /// The error that the task threw; nil if none.
    func error() throws -> Errno? {
        do {
            _ = try wait()
            return nil
        } catch let error as Errno {
            return error
        }
    }
}

/// Two ends of a connection over TCP: a blocking one for a test's own threads, and an executor's.
func pair(_ executor: any EventExecutor) throws -> (client: Client, connection: Shared<AsyncConnection>) {
    let listener = try loopbackListener()
    let client = Client(try connect(to: listener))
    return (client, try adopt(try acceptNext(from: listener), executor))
}

/// The blocking end of a connection.
final class Client: @unchecked Sendable {
    private var connection: Connection?
    let descriptor: BorrowedDescriptor

    init(_ connection: consuming Connection) {
        descriptor = connection.descriptor
        self.connection = consume connection
    }

    func send(_ bytes: [UInt8]) throws -> Int { try descriptor.send(bytes.span.bytes) ?? 0 }

    /// What arrives next; empty at the end.
    func bytes(atMost count: Int = 64) throws -> [UInt8] {
        try descriptor.with(Connection.self) { connection in try connection.bytes(atMost: count) }
    }

    func finishSending() throws {
        try descriptor.with(Connection.self) { connection in try connection.finishSending() }
    }

    func close() throws { try connection.take()?.close() }

    /// Everything that comes until the peer's end.
    func readToEnd() throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let more = try bytes(atMost: 65536)
            if more.isEmpty { return all }
            all += more
        }
    }
}

/// Holds what cannot be copied, for closures that share it.
final class Shared<Value: ~Copyable & Sendable>: Sendable {
    let value: Value

    init(_ value: consuming Value) { self.value = value }
}

/// A number that several tasks and threads add to.
final class Tally: Sendable {
    private let count = Atomic(0)

    func add() { count.wrappingAdd(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}

/// What several tasks and threads write down one after the other.
final class Record<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    func append(_ more: Element...) { elements.withLock { $0 += more } }
    func append(contentsOf more: some Sequence<Element> & Sendable) { elements.withLock { $0 += more } }
    var all: [Element] { elements.withLock { $0 } }
}

/// Returns when a task of the executor has suspended in whatever it waits for: a job that was added later has run.
func settle(_ executor: any EventExecutor) throws {
    for _ in 0..<3 { try onExecutor(executor) {} }
}

/// The bytes of numbers that count up, so that one that is missing or twice shows.
func pattern(_ count: Int, from start: Int = 0) -> [UInt8] {
    (start..<(start + count)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}

/// Makes a connection an executor's.
func adopt(_ connection: consuming Connection, _ executor: any EventExecutor) throws -> Shared<AsyncConnection> {
    Shared(try asyncConnection(connection, executor))
}

private func asyncConnection(
    _ connection: consuming Connection, _ executor: some EventExecutor
) throws -> AsyncConnection {
    try AsyncConnection(connection, on: executor)
}

/// A listener on a port of its own.
func asyncListener(_ executor: any EventExecutor) throws -> Shared<AsyncListener> {
    func make(_ executor: some EventExecutor) throws -> AsyncListener {
        try AsyncListener(loopbackListener(), on: executor)
    }
    return Shared(try make(executor))
}

/// A blocking connection to an executor's listener.
func connect(to listener: Shared<AsyncListener>) throws -> Client {
    Client(try StreamSocket(for: .loopback(), .blocking).connect(to: listener.value.address))
}

func forkProcess() -> pid_t {
    typealias Fork = @convention(c) () -> pid_t
    return unsafeBitCast(dlsym(nil, "fork"), to: Fork.self)()
}

/// Waits for a child; its exit code, or -1 if a signal ended it.
func exitStatus(of child: pid_t) -> CInt {
    var status: CInt = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    return status & 0x7f == 0 ? (status >> 8) & 0xff : -1
}

/// Fails a process test, whose expectations are not reported, with a line that says why.
func demand(_ isTrue: Bool, _ what: String = "", line: Int = #line) throws {
    guard !isTrue else { return }
    print("line \(line): \(what)")
    throw Errno.invalidArgument
}
