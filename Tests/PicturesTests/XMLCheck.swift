import Foundation
import FoundationXML

/// Whether a text is XML that a browser would draw.
enum XMLCheck {
    static func isWellFormed(_ text: String) -> Bool { XMLParser(data: Data(text.utf8)).parse() }
}
