import CBenchExtras
import Foundation
import Glibc
import SystemPackage

/// Writes a whole file: aside, flushed, and renamed, so that no reader ever finds half of it. A symbolic link stays and
/// its target is replaced; what is no regular file (a device, a pipe) is written into. An error names `option` as the
/// one that chooses another path.
func writeFile(_ text: String, to path: String, option: String, naming kind: String = "file") throws {
    do {
        try replaceFile(path, text)
    } catch {
        throw outputFailure(error, path, option: option, naming: kind)
    }
}

/// Makes a folder and those above it that are missing, `mkdir(2)`; one that is there already is fine.
func makeFolder(_ path: String, option: String) throws {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
        made += part + "/"
        if unsafe mkdir(made, 0o777) == 0 { continue }
        let error = Errno(rawValue: errno)
        var status = stat()
        // Of a folder that is there, a file system that cannot be written says EROFS before EEXIST.
        let isThere = unsafe stat(made, &status) == 0
        if isThere && status.st_mode & S_IFMT == S_IFDIR { continue }
        // What is there and no folder is a file, or a symbolic link that leads nowhere.
        let cause = error != .fileExists ? error : isThere ? .notDirectory : Errno(rawValue: errno)
        throw outputFailure(cause, path, "created", option: option)
    }
}

/// The failure of a file or folder that cannot be written: a full disk ended the work, and all else is a mistake in what
/// was asked for.
func outputFailure(
    _ error: Errno, _ path: String, _ done: String = "written", option: String, naming kind: String = "folder"
) -> Failure {
    switch error {
    case .noSpace, .diskQuotaExceeded, .fileTooLarge, .ioError: Failure(.runFailed, "\(path): \(error.named)")
    default:
        Failure(
            .usage, "\(path) cannot be \(done): \(error.named); name a \(kind) that you may write with \(option)")
    }
}

/// Like ``writeFile(_:to:option:naming:)``, with the error as the kernel has it.
func replaceFile(_ path: String, _ text: String) throws(Errno) {
    let final = resolved(path)
    var status = stat()
    if unsafe stat(final, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
        return try fill(final, O_WRONLY, text)
    }
    let aside = final + ".tmp"
    do throws(Errno) {
        try fill(aside, O_WRONLY | O_CREAT | O_TRUNC, text, flushes: true)
        guard unsafe rename(aside, final) == 0 else { throw Errno(rawValue: errno) }
    } catch {
        unsafe unlink(aside)
        throw error
    }
}

/// The path without symbolic links; as it is where there is nothing yet.
private func resolved(_ path: String) -> String {
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
}

private func fill(_ path: String, _ flags: CInt, _ text: String, flushes: Bool = false) throws(Errno) {
    let descriptor = unsafe open(path, flags | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    let written = writeAll(descriptor, text) && (!flushes || fsync(descriptor) == 0)
    let error = Errno(rawValue: errno)
    Glibc.close(descriptor)
    guard written else { throw error }
}

/// Writes everything; false with `errno` if that failed.
func writeAll(_ descriptor: CInt, _ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
        var written = 0
        while written < bytes.count {
            let result = unsafe write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if result < 0 && errno == EINTR { continue }
            if result < 0 { return false }
            written += result
        }
        return true
    }
}
