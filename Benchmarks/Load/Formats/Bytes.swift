extension UInt8 {
    @inline(__always) var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    /// The value of a digit.
    @inline(__always) var digit: UInt8 { self &- UInt8(ascii: "0") }

    var hexDigit: UInt8? {
        if isDigit { return digit }
        let letter = self | 0x20
        return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "f") ? letter - UInt8(ascii: "a") + 10 : nil
    }

    /// True for what names in HTTP consist of (RFC 9110, 5.6.2).
    @inline(__always) var isToken: Bool {
        let (low, high): (UInt64, UInt64) = (0x03ff_6cfa_0000_0000, 0x57ff_ffff_c7ff_fffe)
        return self < 128 && (self < 64 ? low >> UInt64(self) : high >> UInt64(self - 64)) & 1 == 1
    }
}
