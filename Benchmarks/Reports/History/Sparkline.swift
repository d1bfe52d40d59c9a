/// Values as a line of bars, `▁` the smallest and `█` the largest; a space where one is missing. Values that differ by
/// less than a change that matters make a level line.
func sparkline(_ values: [Double?]) -> String {
    let bars = Array("▁▂▃▄▅▆▇█")
    let present = values.compactMap { $0 }
    guard let low = present.min(), let high = present.max() else {
        return String(repeating: " ", count: values.count)
    }
    let isLevel = high - low <= levelRange * high.magnitude
    return String(
        values.map { value -> Character in
            guard let value else { return " " }
            // A level line stands in the middle rather than at the bottom.
            let share = isLevel ? 0.5 : (value - low) / (high - low)
            return bars[Int((share * Double(bars.count - 1)).rounded())]
        })
}

/// Values of a range of so much of the largest are level.
private let levelRange = 0.02
