import Glibc
package import SystemPackage

/// Starts a detached thread (`pthread_create(3)`); returns why there is none, `EAGAIN` at a limit of threads or of
/// memory.
package func startThread(_ body: @escaping @Sendable () -> Void) -> Errno? {
    /// What a C function pointer cannot hold.
    final class Body {
        let call: @Sendable () -> Void
        init(_ call: @escaping @Sendable () -> Void) { self.call = call }
    }
    let retained = unsafe Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let code = unsafe pthread_create(
        &thread, nil,
        { argument in
            let body = unsafe Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
            body.call()
            return nil
        }, retained.toOpaque())
    guard code == 0 else {
        unsafe retained.release()
        return Errno(rawValue: code)
    }
    pthread_detach(thread)
    return nil
}
