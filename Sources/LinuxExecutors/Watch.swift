import Synchronization

/// Names one use of a descriptor's number: who has the number later has another name, so that nothing that a set knows
/// of the one is believed of the other.
struct Watch: Sendable {
    let number: UInt32
    /// A receive of less than there was room for has taken all that was there: true of TCP (`epoll(7)`), where what is
    /// urgent is told by events of its own; not of unix sockets, whose receives end where descriptors come along.
    let drainsWhenShort: Bool

    init(number: UInt32, drainsWhenShort: Bool) {
        self.number = number
        self.drainsWhenShort = drainsWhenShort
    }

    static func next(drainsWhenShort: Bool) -> Watch {
        Watch(
            number: lastNumber.wrappingAdd(1, ordering: .relaxed).newValue, drainsWhenShort: drainsWhenShort)
    }
}

private let lastNumber = Atomic<UInt32>(0)
