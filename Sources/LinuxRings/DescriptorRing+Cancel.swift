import LinuxDescriptors
import SystemPackage

extension DescriptorRing {
    func isPending(on token: RingToken, _ choice: RequestChoice = .all) -> Bool {
        guard let member = unsafe slots.findPending(token) else { return false }
        if case .all = choice { return unsafe member.pointee.firstRequest != RequestTable.none }
        return unsafe !targets(of: member, choice).isEmpty
    }

    /// What the kernel carries for those requests of a descriptor that are to be cancelled.
    private func targets(of member: UnsafeMutablePointer<RingSlots.Member>, _ choice: RequestChoice) -> [UInt64] {
        var targets: [UInt64] = []
        var index = unsafe member.pointee.firstRequest
        while index != RequestTable.none {
            let (operation, next) = unsafe (requests.requests[Int(index)].operation, requests.requests[Int(index)].next)
            let identifier = requests.identifier(index)
            let isChosen =
                switch choice {
                case .all: true
                case .operation(let wanted): operation == wanted
                case .request(let wanted): identifier == wanted
                }
            if isChosen && operation != .cancel { targets.append(identifier) }
            index = next
        }
        return targets
    }

    /// Cancels by what the requests carry and not by descriptor: the number may have been closed behind the ring's
    /// back, and another token may name the same open file.
    mutating func cancelPending(
        on token: RingToken, _ choice: RequestChoice = .all, keepsEvents: Bool
    ) throws(Errno) {
        if !isPending(on: token, choice) { return }
        let start = ContinuousClock.now
        while isPending(on: token, choice) {
            try askForCancellation(of: token, choice)
            // Asked again after a while without an answer: a request may have been between two places.
            var isQuiet = false
            while isPending(on: token, choice) && !isQuiet {
                isQuiet = try !waitForAnything()
                try takeEvents(besides: token, keepsEvents: keepsEvents)
                if isPending(on: token, choice) && ContinuousClock.now - start > .seconds(10) { throw .timedOut }
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
    private mutating func askForCancellation(of token: RingToken, _ choice: RequestChoice) throws(Errno) {
        guard let member = unsafe slots.findPending(token) else { return }
        for target in unsafe targets(of: member, choice) {
            try ring.prepareCancel(target: target, token: requests.nextIdentifier())
            unsafe requests.begin(.cancel, on: token.index, &member.pointee.firstRequest, .cancel)
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
                attention |= Self.hasKeptEvents
            } else {
                unsafe drop(event)
            }
        }
        if let failure { throw failure }
    }

    @unsafe private mutating func drop(_ event: RingEventParts) {
        droppedCompletions += 1
        if unsafe event.content == .slot && event.result >= 0 {
            let index = unsafe UInt32(bitPattern: event.result)
            unsafe closeUnheard(RingToken(index: index, generation: event.detail, ring: slots.ring))
        }
        unsafe event.end()
    }

    /// Drops what was kept of a token that ends.
    mutating func dropKept(of token: RingToken) {
        if !hasKept { return }
        let untaken = unsafe kept[keptStart...]
        unsafe kept = unsafe untaken.filter { unsafe $0.token != token }
        keptStart = 0
        if unsafe kept.isEmpty { attention &= ~Self.hasKeptEvents }
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
func endRing(
    _ ring: inout Ring, _ requests: inout RequestTable, _ slots: borrowing RingSlots, isParent: Bool, isIntact: Bool
) {
    func end(_ identifier: UInt64, _ result: Int32? = nil) {
        guard let request = unsafe requests.find(identifier) else { return }
        let member = unsafe slots.members + Int(request.pointee.slot)
        if unsafe request.pointee.content == .close {
            unsafe member.pointee.generation &= ~RingSlots.closingBit
            // What became of it is known now.
            if result == 0 { unsafe member.pointee.number = -1 }
        }
        unsafe request.pointee.freeBuffer()
    }
    guard isParent else {
        // In this process the closes of chains have not run.
        for identifier in requests.pendingIdentifiers { end(identifier) }
        return
    }
    let identifiers = requests.pendingIdentifiers
    var pending = identifiers.count
    for token in ring.queuedTokens() {
        end(token)
        pending -= 1
    }
    guard isIntact else { return }
    let isQuiet = ring.cancelEverything(identifiers, while: { pending > 0 }) { completion in
        guard let request = unsafe requests.find(completion.token) else { return }
        if unsafe request.pointee.content == .descriptor && completion.result >= 0 {
            _ = OwnedDescriptor(owning: FileDescriptor(rawValue: completion.result))
        }
        if completion.hasMore { return }
        end(completion.token, completion.result)
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
            unsafe requests[index].freeBuffer()
        }
    }
}
