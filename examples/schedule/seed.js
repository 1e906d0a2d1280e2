/** Makes the database with an example term: node examples/schedule/seed.js */
import { databaseFile } from './database.js';
import { seed, students } from './term.js';

if (seed(databaseFile)) {
  console.log(`${databaseFile} has an example term now. Its students, and their passwords:\n`);
  for (const { name, password } of students) console.log(`  ${name}  ${password}`);
} else {
  console.log(`${databaseFile} has students already, and is as it was. Delete it to begin anew.`);
}
