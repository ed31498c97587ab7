package preflight

// ymdList collects the numbers of a date in the order in which they stand, and what is known of their roles.
type ymdList struct {
	values      [3]int
	n           int
	year, month int // indexes into values, -1 if unknown
	// century is true when the year was written with its century.
	century bool
}

func newYMDList() ymdList { return ymdList{year: -1, month: -1} }

// ymdRole is what a number of a date is known to be.
type ymdRole byte

const (
	roleUnknown ymdRole = 0
	roleYear    ymdRole = 'Y'
	roleMonth   ymdRole = 'M'
)

// addDigits adds a number as it stands: more than two digits are a year.
func (y *ymdList) addDigits(digits string, role ymdRole) bool {
	if !digitsOnly(digits) || len(digits) > 9 {
		return false
	}
	return y.add(toInt(digits), role, len(digits) > 2)
}

// addValue adds a number: more than 100 is a year.
func (y *ymdList) addValue(value int) bool { return y.add(value, roleUnknown, value > 100) }

func (y *ymdList) add(value int, role ymdRole, long bool) bool {
	if long {
		y.century = true
		if role == roleMonth {
			return false
		}
		role = roleYear
	}
	if y.n == len(y.values) {
		return false
	}
	switch {
	case role == roleYear && y.year < 0:
		y.year = y.n
	case role == roleMonth && y.month < 0:
		y.month = y.n
	case role != roleUnknown:
		return false
	}
	y.values[y.n] = value
	y.n++
	return true
}

// couldBeDay reports whether a number can be the day of what is known so far.
func (y *ymdList) couldBeDay(value int) bool {
	switch {
	case y.month < 0:
		return value >= 1 && value <= 31
	case y.values[y.month] < 1 || y.values[y.month] > 12:
		return false
	case y.year < 0:
		const leap = 2000
		return value >= 1 && value <= daysIn(leap, y.values[y.month])
	}
	return value >= 1 && value <= daysIn(y.values[y.year], y.values[y.month])
}

// ymd is a date with -1 for what is unknown.
type ymd struct{ year, month, day int }

// resolve gives the numbers their roles. Without better knowledge, the month comes first, or the day if dayFirst is set.
func (y *ymdList) resolve(dayFirst bool) ymd {
	out := ymd{-1, -1, -1}
	known := 0
	for _, i := range []int{y.year, y.month} {
		if i >= 0 {
			known++
		}
	}
	v := y.values
	switch {
	case y.n > 0 && y.n == known, y.n == 3 && known == 2:
		return y.byRoles()
	case y.n == 1:
		if v[0] > 31 {
			out.year = v[0]
		} else {
			out.day = v[0]
		}
	case y.n == 2 && y.month >= 0:
		out.month = v[y.month]
		if other := v[1-y.month]; other > 31 {
			out.year = other
		} else {
			out.day = other
		}
	case y.n == 2:
		return resolveTwo(v, dayFirst)
	case y.n == 3 && y.month >= 0:
		return resolveNamed(v, y.month)
	case y.n == 3:
		return resolveThree(v, y.year == 0, dayFirst)
	}
	return out
}

// byRoles takes the roles as they are, and the number without one for what is left.
func (y *ymdList) byRoles() ymd {
	roles := [3]int{y.year, y.month, -1}
	if y.n == 3 {
		left := 3
		for _, i := range roles {
			if i >= 0 {
				left -= i
			}
		}
		for r, i := range roles {
			if i < 0 {
				roles[r] = left
			}
		}
	}
	at := func(i int) int {
		if i < 0 {
			return -1
		}
		return y.values[i]
	}
	return ymd{at(roles[0]), at(roles[1]), at(roles[2])}
}

func resolveTwo(v [3]int, dayFirst bool) ymd {
	switch {
	case v[0] > 31:
		return ymd{v[0], v[1], -1}
	case v[1] > 31:
		return ymd{v[1], v[0], -1}
	case dayFirst && v[1] <= 12:
		return ymd{-1, v[1], v[0]}
	}
	return ymd{-1, v[0], v[1]}
}

// resolveNamed resolves three numbers of which one is a month written as a word.
func resolveNamed(v [3]int, month int) ymd {
	switch {
	case month == 0 && v[1] > 31:
		return ymd{v[1], v[0], v[2]}
	case month == 0:
		return ymd{v[2], v[0], v[1]}
	case month == 1 && v[0] > 31:
		return ymd{v[0], v[1], v[2]}
	case month == 1:
		return ymd{v[2], v[1], v[0]}
	case v[1] > 31:
		return ymd{v[1], v[2], v[0]}
	}
	return ymd{v[0], v[2], v[1]}
}

func resolveThree(v [3]int, yearFirst, dayFirst bool) ymd {
	switch {
	case v[0] > 31 || yearFirst:
		if dayFirst && v[2] <= 12 {
			return ymd{v[0], v[2], v[1]}
		}
		return ymd{v[0], v[1], v[2]}
	case v[0] > 12 || (dayFirst && v[1] <= 12):
		return ymd{v[2], v[1], v[0]}
	}
	return ymd{v[2], v[0], v[1]}
}
