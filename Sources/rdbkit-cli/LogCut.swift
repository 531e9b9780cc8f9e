import ArgumentParser
import RDBKit

/// A moment of a log, as options name it.
struct LogMoment {
    var at: Moment?
    var atOffset: AOFPlace?

    /// - Throws: a usage error if the place names no file of the log.
    func finderMoment(_ log: AOFInput) throws(ValidationError) -> AOFCutFinder.Moment {
        if let atOffset { return .position(try atOffset.position(in: log)) }
        let milliseconds = at?.milliseconds(now: currentMilliseconds()) ?? 0
        // Annotations have whole seconds; rounded down.
        return .time(milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0))
    }
}

/// There is no place in a log for a moment; that was told.
struct CutRefusal: Error {
    let status: ExitStatus
}

extension InputRun {
    /// Finds the place of a log for a moment, and tells why where there is none.
    func findCut(
        _ log: AOFInput, _ moment: AOFCutFinder.Moment
    ) -> (Result<AOFCutFinder, CutRefusal>, [AOFFileOutcome]) {
        var finder = AOFCutFinder(moment)
        var loop = logLoop(log)
        loop.keeping = .beginnings
        loop.readsAgain = true
        let outcomes = loop.run(log, &finder)
        diagnostics.clearProgress()
        if let status = refuse(log, moment, finder, outcomes) {
            return (.failure(CutRefusal(status: status)), outcomes)
        }
        return (.success(finder), outcomes)
    }

    /// Tells why a log has no state at a moment; nil where it has.
    private func refuse(
        _ log: AOFInput, _ moment: AOFCutFinder.Moment, _ finder: AOFCutFinder, _ outcomes: [AOFFileOutcome]
    ) -> ExitStatus? {
        func refusal(_ words: String) -> ExitStatus {
            diagnostics.error("\(log.path): \(words)", code: "nothingToKeep")
            return .damagedInput
        }
        guard let last = outcomes.last else { return refusal("the manifest names no file to load") }
        if last.failure != nil { return tell(outcomes) }
        if let fault = last.fault, !finder.isDone {
            // A tail that is cut off is one that servers cut off as well; and what lies behind the place is no matter.
            var isBehind = fault.error.code == .truncated && outcomes.count == log.files.count
            if case .position(let position) = moment, position.fileIndex == outcomes.count - 1 {
                isBehind = isBehind || fault.error.offset >= position.offset
            }
            if !isBehind || last.rdbVersion != nil && last.rdbEnd == nil {
                let status = tell(outcomes)
                diagnostics.notice("\(log.path): the log is damaged before the place to cut it at")
                return status
            }
        }
        switch moment {
        case .position(let position):
            if let end = last.rdbEnd, outcomes.count == position.fileIndex + 1, position.offset < end.byteCount {
                return refusal(
                    "byte \(position.offset) lies within the RDB before the commands, which ends at byte "
                        + "\(end.byteCount) and cannot be cut")
            }
        case .time(let seconds):
            if let time = finder.rdbTime, time > seconds {
                return refusal("its RDB was written at \(CivilTime.text(seconds: time)), which is later")
            }
            if !finder.hasTimes {
                return refusal("its commands bear no times; servers write them where aof-timestamp-enabled is yes")
            }
            // A base begins with the time at which it was written.
            let first = outcomes[0].firstTime
            let isLaterBase = log.manifest != nil && outcomes[0].rdbVersion == nil && (first ?? seconds) > seconds
            if isLaterBase || finder.cut == AOFCut(fileIndex: 0, offset: 0) {
                let words = first.map { "; the first time in it is \(CivilTime.text(seconds: $0))" } ?? ""
                return refusal("nothing in it is that early\(words)")
            }
        }
        return nil
    }
}
