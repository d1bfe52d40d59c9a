/// What a picture is drawn for.
package enum Layout: String, Sendable, CaseIterable {
    /// A page or a screen: panels stand side by side.
    case wide
    /// A telephone: panels stand below one another.
    case narrow

    /// The width in pixels.
    var width: Double { self == .wide ? 860 : 400 }
    /// The size of ordinary text in pixels.
    var textSize: Double { self == .wide ? 13 : 12.5 }
    var smallTextSize: Double { 12 }
    var titleSize: Double { self == .wide ? 18 : 16 }
    /// Space at the edges.
    var margin: Double { self == .wide ? 16 : 8 }

    /// About how wide a text is drawn; generous, since the reader's font is not known.
    func textWidth(_ text: String) -> Double { Double(text.count) * textSize * 0.6 }
}

/// A file format of pictures.
package enum PictureFormat: String, Sendable, CaseIterable {
    /// Scalable; what the report holds.
    case svg
    /// Pixels, two for one, for where SVG cannot go.
    case png
}
