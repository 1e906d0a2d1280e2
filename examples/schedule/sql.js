/** Every statement that the store uses. Values are never pasted into them: they are bound, so no input can become SQL. */
export const sql = {
  addStudent: 'INSERT INTO student (name, password) VALUES (?, ?)',
  addCourse: 'INSERT INTO course (code, title) VALUES (?, ?)',
  addRoom: 'INSERT INTO room (name) VALUES (?)',

  anyStudent: 'SELECT 1 FROM student LIMIT 1',
  passwordOf: 'SELECT password FROM student WHERE name = ?',
  course: 'SELECT 1 FROM course WHERE code = ?',
  room: 'SELECT 1 FROM room WHERE name = ?',
  courses: 'SELECT code, title FROM course ORDER BY code',
  rooms: 'SELECT name FROM room ORDER BY name',
  freeRooms: `
    SELECT name FROM room
    WHERE name NOT IN (SELECT room FROM booked_hour WHERE day = @day AND hour >= @from AND hour < @to)
    ORDER BY name`,

  // All of a student's bookings, or the one with that id.
  bookings: `
    SELECT booking.id, course, title, room, day, min(hour) AS "from", max(hour) + 1 AS "to"
    FROM booking JOIN booked_hour ON booked_hour.booking = booking.id JOIN course ON code = course
    WHERE booking.student = @student AND (@id IS NULL OR booking.id = @id)
    GROUP BY booking.id ORDER BY day, "from"`,
  ownAt: `
    SELECT booking.id, course, room FROM booking JOIN booked_hour ON booked_hour.booking = booking.id
    WHERE booking.student = @student AND day = @day AND hour = @hour`,

  addBooking: 'INSERT INTO booking (student, course) VALUES (?, ?)',
  removeBooking: 'DELETE FROM booking WHERE id = ?',
  occupy:
    'INSERT INTO booked_hour (booking, student, room, day, hour) VALUES (@id, @student, @room, @day, @hour)',
  vacate: 'DELETE FROM booked_hour WHERE booking = ?',
};
