import Glibc

/// A library that is found at run time, so that neither a build nor a run that does without it needs it (`dlopen(3)`). It
/// stays loaded.
@safe package struct SharedLibrary: Sendable {
    /// A function that the library lacks.
    package struct Missing: Error {}

    // Never closed, and what dlsym(3) says of it does not change.
    private nonisolated(unsafe) let handle: UnsafeMutableRawPointer

    /// Loads the first library that there is.
    ///
    /// - Returns: nil if none can be loaded.
    package init?(anyOf names: [String]) {
        for name in names {
            guard let handle = unsafe dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
            unsafe self.handle = handle
            return
        }
        return nil
    }

    /// A function by its name.
    ///
    /// - Returns: what the caller says that it is, without a check: a `@convention(c)` function type.
    @unsafe package func find<Function>(_ name: String) throws(Missing) -> Function {
        guard let symbol = unsafe dlsym(handle, name) else { throw Missing() }
        return unsafe unsafeBitCast(symbol, to: Function.self)
    }
}
