package enum Layout: String, Sendable, CaseIterable {
    case wide
    /// A telephone: panels stand below one another.
    case narrow

    var width: Double { self == .wide ? 860 : 400 }
    var textSize: Double { self == .wide ? 13 : 12.5 }
    var smallTextSize: Double { 12 }
    var titleSize: Double { self == .wide ? 18 : 16 }
    var margin: Double { self == .wide ? 16 : 8 }

    /// About how wide a text is drawn; generous, since the reader's font is not known.
    func textWidth(_ text: String) -> Double { Double(text.count) * textSize * 0.6 }
}

package enum PictureFormat: String, Sendable, CaseIterable {
    case svg
    case png
}
