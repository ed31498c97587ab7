package dataset

// Batch keeps many records in little memory.
type Batch struct {
	data   []byte
	fields []field
	rows   []row
}

// field is where a field stands in the data.
type field struct{ start, end uint32 }

// row is a record: its line, and its first field.
type row struct {
	line  int64
	first uint32
}

// NewBatch makes a batch that need not grow for records of about so many bytes, as Bytes counts them.
func NewBatch(size int) *Batch {
	return &Batch{data: make([]byte, 0, size), fields: make([]field, 0, size/16), rows: make([]row, 0, size/64)}
}

// Add copies a record into the batch.
func (b *Batch) Add(r *Record) {
	b.rows = append(b.rows, row{line: r.Line, first: uint32(len(b.fields))})
	base, start := len(b.data), 0
	for i, end := range r.ends {
		if len(r.starts) > 0 {
			start = r.starts[i]
		}
		b.fields = append(b.fields, field{uint32(base + start), uint32(base + end)})
		start = end
	}
	if n := len(r.ends); n > 0 {
		b.data = append(b.data, r.data[:r.ends[n-1]]...)
	}
}

// Reset empties the batch, and keeps its memory for the next records.
func (b *Batch) Reset() { b.data, b.fields, b.rows = b.data[:0], b.fields[:0], b.rows[:0] }

// Len is the number of records.
func (b *Batch) Len() int { return len(b.rows) }

// Bytes is about how much memory the records take.
func (b *Batch) Bytes() int { return len(b.data) + 8*len(b.fields) + 16*len(b.rows) }

// Line is the physical line, from 1, on which the record of that index starts.
func (b *Batch) Line(record int) int64 { return b.rows[record].line }

// Field returns the i-th field of a record, as Record.Field does. It is valid until Reset.
func (b *Batch) Field(record, i int) []byte {
	last := uint32(len(b.fields))
	if record+1 < len(b.rows) {
		last = b.rows[record+1].first
	}
	at := b.rows[record].first + uint32(i)
	if at >= last {
		return nil
	}
	f := b.fields[at]
	return b.data[f.start:f.end:f.end]
}

// Capacity is about how much memory the batch holds, emptied or not.
func (b *Batch) Capacity() int { return cap(b.data) + 8*cap(b.fields) + 16*cap(b.rows) }
