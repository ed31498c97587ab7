package gen

// sequence yields numbers that look random and are the same on every machine. Its value is where it stands.
type sequence uint64

// next is a number from 0 to below n.
func (s *sequence) next(n int) int {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) >> 1 % uint64(n))
}
