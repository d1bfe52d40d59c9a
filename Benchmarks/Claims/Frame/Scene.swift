/// Something that holds descriptors, which would be closed after its last use.
protocol Scene: ~Copyable {}

extension Scene where Self: ~Copyable {
    /// Closes everything that it holds.
    consuming func end() {}
}
