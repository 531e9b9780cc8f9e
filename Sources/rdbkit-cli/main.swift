import RDBKit
let path = CommandLine.arguments[1]
let input = try! Input(path: path)
var reader = try! RDBReader(input.source)
var consumer = JSONConsumer(JSONEntryWriter(OutputFile()))
let loop = EntryLoop(selection: Selection(now: 0))
do { _ = try loop.run(&reader, &consumer) } catch { consumer.writer.flush(); print(error) }
consumer.writer.finish()
