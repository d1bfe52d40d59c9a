import Glibc
import SystemPackage

extension Errno {
    /// What went wrong and its name: `Permission denied (EACCES)`.
    var named: String { errnoNames[rawValue].map { "\(self) (\($0))" } ?? "\(self)" }
}

/// What opening, making and writing files and folders can end with, path_resolution(7).
private let errnoNames: [CInt: String] = [
    EACCES: "EACCES", EBADF: "EBADF", EBUSY: "EBUSY", EDQUOT: "EDQUOT", EEXIST: "EEXIST", EFBIG: "EFBIG",
    EINVAL: "EINVAL",
    EIO: "EIO", EISDIR: "EISDIR", ELOOP: "ELOOP", EMFILE: "EMFILE", EMLINK: "EMLINK",
    ENAMETOOLONG: "ENAMETOOLONG", ENFILE: "ENFILE", ENODEV: "ENODEV", ENOENT: "ENOENT", ENOMEM: "ENOMEM",
    ENOSPC: "ENOSPC", ENOTDIR: "ENOTDIR", ENOTEMPTY: "ENOTEMPTY", ENXIO: "ENXIO", EOPNOTSUPP: "EOPNOTSUPP",
    EPERM: "EPERM", EPIPE: "EPIPE", EROFS: "EROFS", ETXTBSY: "ETXTBSY",
]
