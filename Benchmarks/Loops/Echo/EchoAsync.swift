import LinuxDescriptors
import LinuxExecutors
import LinuxSockets
import Meters
import SystemPackage

/// Answers in a task for each connection: await what comes, serve, await that the reply is sent.
final class AsyncEcho: ExecutorWork, @unchecked Sendable {
    private var worker: EchoWorker
    private let format: RequestFormat
    private let chunkBytes: Int

    init(_ worker: consuming EchoWorker, chunkBytes: Int) {
        let (format, meter) = (worker.format, worker.meter)
        self.format = format
        self.chunkBytes = chunkBytes
        self.worker = worker
        super.init(meter)
    }

    /// Answers, and accepts from the listeners, until the stop signal comes.
    func run(
        listeners: [BorrowedDescriptor], connections: [OwnedConnection], stop: BorrowedDescriptor,
        on executor: some EventExecutor
    ) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.awaitStop(stop, executor) }
            for connection in connections { group.addTask { await self.answer(connection.take(), executor) } }
            for listener in listeners { group.addTask { await self.welcome(listener, executor) } }
        }
    }

    /// A connection on its way into a task.
    final class OwnedConnection: @unchecked Sendable {
        private var connection: Connection?

        init(_ connection: consuming Connection) { self.connection = consume connection }

        func take() -> Connection? { connection.take() }
    }

    private func answer(_ connection: consuming Connection?, _ executor: some EventExecutor) async {
        guard let connection = consume connection else { return }
        worker.connections.began(connection.descriptor.rawValue)
        do throws(Errno) {
            await answer(try AsyncConnection(connection, on: executor), executor)
        } catch {
            end(error, executor)
        }
    }

    /// Accepts connections, each of which gets a task.
    private func welcome(_ listener: BorrowedDescriptor, _ executor: some EventExecutor) async {
        do throws(Errno) {
            let listener = try AsyncListener(Listener(owning: listener.duplicate()), on: executor)
            await withDiscardingTaskGroup { group in
                while let connection = await accept(listener, executor) {
                    guard admits(connection, executor) else { continue }
                    group.addTask { await self.answer(connection, executor) }
                }
            }
        } catch {
            end(error, executor)
        }
    }

    /// True if there is room for a new connection; if not, it is closed.
    private func admits(_ connection: borrowing AsyncConnection, _ executor: some EventExecutor) -> Bool {
        let number = connection.descriptor.rawValue
        do throws(Errno) {
            if try worker.admits(number) {
                worker.progress += 1
                worker.connections.began(number)
                return true
            }
        } catch {
            end(error, executor)
        }
        meter.add(.systemCalls)
        return false
    }

    private func answer(_ connection: borrowing AsyncConnection, _ executor: some EventExecutor) async {
        let number = connection.descriptor.rawValue
        // With room for more than a chunk, a receive of one has taken all that was there, and a set does not try again.
        var stream = [UInt8](repeating: 0, count: chunkBytes + 1)
        var filled = 0
        do throws(Failure) {
            while true {
                let count = try await receive(connection, &stream, from: filled)
                note(executor)
                if count == 0 {
                    if filled > 0 { throw Failure(.earlyEnd) }
                    break
                }
                worker.progress += 1
                filled += count
                if try await serve(connection, &stream, &filled, executor) { break }
            }
        } catch {
            if let cause = error.cause { worker.fail(cause) }
        }
        worker.connections.ended(number)
        // It is closed as its owner ends.
        meter.add(.systemCalls)
    }

    /// What ends a connection: a cause if it is one that counts.
    struct Failure: Error {
        let cause: FailureTally.Cause?

        init(_ cause: FailureTally.Cause) { self.cause = cause }

        init(_ call: StaticString, _ error: Errno) {
            cause = error == .canceled ? nil : .init("\(call)", error.rawValue)
        }
    }

    private func receive(
        _ connection: borrowing AsyncConnection, _ stream: inout [UInt8], from filled: Int
    ) async throws(Failure) -> Int {
        do throws(Errno) {
            return try await connection.receive(into: &stream, from: filled)
        } catch {
            throw Failure("recv", error)
        }
    }

    /// Answers the requests that are whole; true if the connection ends with one of them.
    private func serve(
        _ connection: borrowing AsyncConnection, _ stream: inout [UInt8], _ filled: inout Int,
        _ executor: some EventExecutor
    ) async throws(Failure) -> Bool {
        var start = 0
        while start < filled {
            let requests = unsafe stream.withUnsafeBytes { bytes in
                unsafe format.requests(bytes.baseAddress! + start, filled - start)
            }
            guard requests.count > 0 else {
                if requests.isRefused { throw Failure(.wrongRequest) }
                break
            }
            let number = connection.descriptor.rawValue
            unsafe stream.withUnsafeBytes { unsafe worker.serve(number, $0.baseAddress! + start, requests.count) }
            try await send(
                connection, requests, unsafe stream.span.bytes.extracting(start..<(start + requests.bytes)))
            note(executor)
            worker.replied(requests.count)
            if format.isLast(requests) { return true }
            start += requests.bytes
        }
        // What there is of the next request comes to the front.
        if start > 0 && start < filled {
            unsafe stream.withUnsafeMutableBytes { bytes in
                unsafe bytes.baseAddress!.copyMemory(from: bytes.baseAddress! + start, byteCount: filled - start)
            }
        }
        filled -= start
        return false
    }

    private func send(
        _ connection: borrowing AsyncConnection, _ requests: Requests, _ echoed: RawSpan
    ) async throws(Failure) {
        do throws(Errno) {
            if format.isEcho {
                try await connection.sendAll(echoed)
            } else {
                try await connection.sendAll(unsafe RawSpan(_unsafeBytes: format.replies.memory(for: requests)))
            }
        } catch {
            throw Failure("send", error)
        }
    }
}
