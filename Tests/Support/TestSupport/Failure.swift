import SystemPackage

/// The error that a call throws; nil if it throws none.
public func failure<Result: ~Copyable>(of body: () throws(Errno) -> Result) -> Errno? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}
