import LinuxDescriptors
import SystemPackage

extension DescriptorRing {
    func isPending(on token: RingToken) -> Bool {
        guard let member = unsafe slots.find(token) else { return false }
        return unsafe member.pointee.firstRequest != RequestTable.none
    }

    /// Cancels by what the requests carry and not by descriptor: the number may have been closed behind the ring's
    /// back, and another token may name the same open file.
    mutating func cancelPending(on token: RingToken, keepsEvents: Bool) throws(Errno) {
        if !isPending(on: token) { return }
        let start = ContinuousClock.now
        while isPending(on: token) {
            try askForCancellation(of: token)
            // Asked again after a while without an answer: a request may have been between two places.
            var isQuiet = false
            while isPending(on: token) && !isQuiet {
                isQuiet = try !waitForAnything()
                try takeEvents(besides: token, keepsEvents: keepsEvents)
                if isPending(on: token) && ContinuousClock.now - start > .seconds(10) { throw .timedOut }
            }
        }
    }

    /// False if nothing came within a tenth of a second.
    private mutating func waitForAnything() throws(Errno) -> Bool {
        if ring.features.contains(.extendedArgument) { return try ring.submitAndWait(timeout: .milliseconds(100)) }
        try ring.submitAndWait(for: 1)
        return true
    }

    /// Queues a cancellation for each request of a token that has none pending.
    private mutating func askForCancellation(of token: RingToken) throws(Errno) {
        guard let member = unsafe slots.find(token) else { return }
        var targets: [UInt64] = []
        var index = unsafe member.pointee.firstRequest
        while index != RequestTable.none {
            let request = unsafe requests.requests + Int(index)
            if unsafe request.pointee.operation != .cancel { targets.append(requests.identifier(index)) }
            index = unsafe request.pointee.next
        }
        for target in targets {
            try ring.prepareCancel(target: target, token: requests.nextIdentifier())
            unsafe requests.begin(.cancel, on: token.index, &member.pointee.firstRequest)
        }
    }

    private mutating func takeEvents(besides token: RingToken, keepsEvents: Bool) throws(Errno) {
        var failure: Errno?
        while let completion = ring.nextRawCompletion() {
            guard let event = unsafe resolve(completion) else { continue }
            if unsafe event.operation == .cancel {
                let error = completion.result < 0 ? Errno(rawValue: -completion.result) : nil
                // It had ended already, or is about to end.
                if let error, error != .noSuchFileOrDirectory, error != .alreadyInProcess { failure = error }
            } else if unsafe event.token != token || keepsEvents {
                unsafe kept.append(event)
            } else {
                unsafe drop(event)
            }
        }
        if let failure { throw failure }
    }

    @unsafe private mutating func drop(_ event: RingEventParts) {
        droppedCompletions += 1
        unsafe event.end()
    }

    /// Drops what was kept of a token that ends.
    mutating func dropKept(of token: RingToken) {
        if !hasKept { return }
        let untaken = unsafe kept[keptStart...]
        unsafe kept = unsafe untaken.filter { unsafe $0.token != token }
        keptStart = 0
        for index in unsafe untaken.indices where unsafe untaken[index].token == token { unsafe drop(untaken[index]) }
    }
}

extension Ring {
    /// True of a ring that has nothing queued or pending and no completions.
    var isUntouched: Bool {
        mutating get { submitted == 0 && queuedTokens().isEmpty && readyCompletions == 0 && !completionsOverflowed }
    }
}

/// The end of a ring and of the requests that are pending on it.
///
/// What was never handed over, and in a child everything, is freed: there the kernel writes into the parent's memory.
/// A ring whose number was closed behind its back is not touched, because a stranger may have the number.
func endRing(_ ring: inout Ring, _ requests: inout RequestTable, isParent: Bool, isIntact: Bool) {
    func freeBuffer(of token: UInt64) {
        guard let request = unsafe requests.find(token), let buffer = unsafe request.pointee.buffer else { return }
        unsafe request.pointee.buffer = nil
        _ = unsafe RequestBuffer(buffer)
    }
    guard isParent else { return requests.freeBuffers() }
    let identifiers = requests.pendingIdentifiers
    var pending = identifiers.count
    for token in ring.queuedTokens() {
        freeBuffer(of: token)
        pending -= 1
    }
    guard isIntact else { return }
    let isQuiet = ring.cancelEverything(identifiers, while: { pending > 0 }) { completion in
        guard let request = unsafe requests.find(completion.token) else { return }
        if unsafe request.pointee.operation == .accept && completion.result >= 0 {
            _ = OwnedDescriptor(owning: FileDescriptor(rawValue: completion.result))
        }
        if completion.hasMore { return }
        freeBuffer(of: completion.token)
        unsafe request.pointee.generation &+= 1
        pending -= 1
    }
    if isQuiet { requests.freeBuffers() }
}

extension RequestTable {
    /// What the kernel carries for the requests that are pending or queued.
    var pendingIdentifiers: [UInt64] {
        (0..<capacity).filter { unsafe requests[Int($0)].generation & 1 == 1 }.map { identifier($0) }
    }

    /// Frees the buffers of all pending requests.
    func freeBuffers() {
        for index in 0..<Int(capacity) where unsafe requests[index].generation & 1 == 1 {
            guard let buffer = unsafe requests[index].buffer else { continue }
            unsafe requests[index].buffer = nil
            _ = unsafe RequestBuffer(buffer)
        }
    }
}
