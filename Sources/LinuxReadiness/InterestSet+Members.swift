import LinuxDescriptors

/// What is in a set.
extension InterestSet {
    /// What a descriptor is watched for, or will be when it is resumed: the events of ``insert(_:_:)`` or of the last
    /// ``modify(_:_:)``. A one-shot registration that has fired keeps them.
    ///
    /// - Returns: nil for a token that is not live.
    public func events(of token: InterestToken) -> EpollEvents? {
        guard holds(token) else { return nil }
        return EpollEvents(rawValue: unsafe slots[token.number].events)
    }

    /// Goes through the descriptors in the set by their numbers, paused ones too:
    ///
    /// ```swift
    /// var member = set.token()
    /// while let token = member {
    ///     if isIdle(token) { try set.close(token) }
    ///     member = set.token(after: token)
    /// }
    /// ```
    ///
    /// It allocates nothing, and what is inserted or removed meanwhile does not disturb it: a number that is behind is not
    /// seen again. The whole way takes time in proportion to the highest number that the set ever had. The descriptor is
    /// ``descriptor(of:)``.
    ///
    /// - Parameter token: where to go on: one that this set gave out, live or not. Nil for the beginning.
    /// - Returns: the next one; nil at the end, and after a token of another set.
    public func token(after token: InterestToken? = nil) -> InterestToken? {
        if let token, token.set != identifier { return nil }
        var number = token.map { $0.number + 1 } ?? 0
        while number < slotCount {
            let slot = unsafe slots[number]
            if slot.isLive {
                let descriptor = BorrowedDescriptor(rawValue: CInt(number))
                return InterestToken(descriptor, generation: slot.generation, set: identifier)
            }
            number += 1
        }
        return nil
    }
}
